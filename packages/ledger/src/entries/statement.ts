import { canonicalBytes, canonicalDigest } from '@sluice/core'
import { PREDICATE_TYPES, type Predicate } from './predicates.js'

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** in-toto Attestation Framework v1, Statement. */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE
  readonly subject: readonly [{ readonly name: string; readonly digest: { readonly sha256: string } }]
  readonly predicateType: string
  readonly predicate: Predicate
}

/**
 * The Statement about a predicate. Its subject is named by the digest that people signed or agreed on (of the request,
 * of the policy), else by the predicate's own. Small things that could be guessed (parameters, results) never come
 * near a `sha256` here; they have salted commitments inside the predicate.
 */
export function statement(predicate: Predicate): Statement {
  const [name, sha256] = subject(predicate)
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256 } }],
    predicateType: PREDICATE_TYPES[predicate.kind],
    predicate,
  }
}

/** What is signed: the Statement in canonical JSON (RFC 8785). */
export function statementBytes(predicate: Predicate): Uint8Array {
  return canonicalBytes(statement(predicate))
}

function subject(predicate: Predicate): [name: string, sha256: string] {
  switch (predicate.kind) {
    case 'founding':
      return [`zone:${predicate.zone}`, canonicalDigest(predicate)]
    case 'party-founding':
      return [`party:${predicate.party.name}`, canonicalDigest(predicate)]
    case 'joint-start':
    case 'joint-end':
    case 'joint-break':
    case 'psi-start':
    case 'psi-end':
    case 'psi-break':
      return ['job', predicate.jobDigest]
    case 'psi-set':
    case 'psi-rotation':
      return [`prepared-set:${predicate.set}`, canonicalDigest(predicate)]
    case 'key-change':
      return [`principal:${predicate.principal.name}`, canonicalDigest(predicate)]
    case 'registration':
    case 'policy-change':
      return [`policy:${predicate.dataset}`, predicate.policyDigest]
    case 'retirement':
    case 'sample-consent':
    case 'sample':
      return [`dataset:${predicate.dataset}`, canonicalDigest(predicate)]
    case 'request':
    case 'approval':
    case 'rejection':
    case 'revocation':
    case 'withdrawal':
    case 'run':
    case 'release':
      return ['request', predicate.requestDigest]
    case 'refusal':
      return predicate.requestDigest === null
        ? ['refusal', canonicalDigest(predicate)]
        : ['request', predicate.requestDigest]
  }
}
