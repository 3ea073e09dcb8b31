import { dirname, join } from 'node:path'
import type { Signer } from '@sluice/ledger/keys'
import type { PartyLedger } from '@sluice/ledger/party'
import type { Context } from './context.js'

/** Where a party's ledger is unless it is said: beside its key, so that the party has one, wherever a command is run. */
export function partyLedgerPath(
  context: Context,
  { key, name, named }: { readonly key: string; readonly name: string; readonly named: string | undefined },
): string {
  return named === undefined ? join(dirname(context.path(key)), `${name}.ledger`) : context.path(named)
}

export async function openPartyLedger(
  context: Context,
  directory: string,
  signer: Signer,
): Promise<PartyLedger> {
  const { PartyLedger } = await import('@sluice/ledger/party')
  return PartyLedger.open(directory, signer, context.io.now)
}
