import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ledger, type Predicate, type PsiStart } from '@sluice/ledger'
import { parseTrust, verifyLedger } from '@sluice/ledger/verify'

/** The entries of a party's ledger after its founding, once an independent verifier has read it all. */
export async function recorded(directory: string): Promise<readonly Predicate[]> {
  const trust = parseTrust(await readFile(join(directory, 'trust.json')))
  await verifyLedger(join(directory, 'ledger'), { trust, threads: 0 })
  const ledger = await Ledger.open(join(directory, 'ledger'), { logKey: trust.logKey })
  const predicates: Predicate[] = []
  for await (const { envelope } of ledger.entries(1)) predicates.push(envelope.predicate)
  return predicates
}

/** The runs that were begun. */
export async function startsIn(directory: string): Promise<readonly PsiStart[]> {
  return (await recorded(directory)).filter(entry => entry.kind === 'psi-start')
}
