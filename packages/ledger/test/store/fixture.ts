import { type Envelope, Ledger, type LedgerOptions, sign } from '@sluice/ledger'
import { examples, founders, founding, log, people } from '../people.js'
import { type MemoryFiles, ROOT } from './memory-files.js'

/** Wall clock of the tests; entries made in the zone take their time from it. */
export const clock = {
  now: Date.parse('2026-01-06T00:00:00.000Z'),
}

export const options = (files: MemoryFiles): LedgerOptions & { logSigner: typeof log } => ({
  logSigner: log,
  files,
  now: () => clock.now,
})

export async function signedFounding(): Promise<Envelope> {
  const [first, ...rest] = founders
  return sign(founding, first!, ...rest)
}

/** Distinct entries, made elsewhere, so that their times do not matter. */
export async function entries(count: number, from = 0): Promise<Envelope[]> {
  return Promise.all(
    Array.from({ length: count }, (_, i) =>
      sign({ ...examples.rejection, reason: `number ${from + i}` }, people.bureau),
    ),
  )
}

export async function create(files: MemoryFiles): Promise<Ledger> {
  return Ledger.create(ROOT, { ...options(files), founding: await signedFounding() })
}

export async function open(files: MemoryFiles, more: Partial<LedgerOptions> = {}): Promise<Ledger> {
  return Ledger.open(ROOT, { ...options(files), ...more })
}

export async function readAll(ledger: Ledger): Promise<string[]> {
  const read: string[] = []
  for await (const { index, envelope } of ledger.entries()) {
    if (index !== read.length) throw new Error('an index is out of order')
    read.push(name(envelope))
  }
  return read
}

export function name({ predicate }: Envelope): string {
  return predicate.kind === 'rejection' ? predicate.reason : predicate.kind
}
