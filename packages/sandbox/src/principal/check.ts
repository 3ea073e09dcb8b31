import { SluiceError } from '@sluice/core'
import type { Role } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import type { Principal, ZoneState } from '../zone/state.js'

/**
 * The enrolled principal whose key this is.
 *
 * @throws SluiceError KEY_UNKNOWN where the zone knows no such principal, or another key under that name;
 *   ROLE_DENIED where the principal's role is none of these
 */
export function assertPrincipal(
  state: ZoneState,
  signer: Pick<Signer, 'name' | 'publicKey'>,
  roles: readonly Role[],
): Principal {
  const principal = state.principals.get(signer.name)
  if (!principal || principal.removed || principal.key !== signer.publicKey) {
    const why = principal?.removed
      ? 'it was removed'
      : principal
        ? 'another key is enrolled under that name'
        : 'nobody of that name is enrolled'
    throw new SluiceError('KEY_UNKNOWN', `the key of "${signer.name}" is not enrolled in this zone: ${why}`, {
      remedy: 'Enrol it with `sluice principal add`, signed by those whom the zone’s charter names.',
    })
  }
  if (roles.includes(principal.role)) return principal
  throw new SluiceError(
    'ROLE_DENIED',
    `"${signer.name}" has the role ${principal.role}; this is for: ${roles.join(', ')}`,
    {
      rule: 'role',
      remedy: 'Use the key of a principal with that role.',
    },
  )
}
