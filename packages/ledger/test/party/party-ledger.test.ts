import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PsiStart } from '@sluice/ledger'
import { beginIntersection, breakIntersection, endIntersection, PartyLedger } from '@sluice/ledger/party'
import { parseTrust, verifyLedger } from '@sluice/ledger/verify'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { digestOf, people } from '../people.js'

const { bank, bureau, reviewer } = people
const WIDE = { runs: 1000, lifetimeItems: 1_000_000 }

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-party-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const begun = (session: string, items = 10, job = 'a job') => ({
  jobDigest: digestOf(job),
  session: digestOf(session),
  parties: ['bank', 'bureau', 'reviewer'],
  items: 5,
  input: digestOf('an input'),
  counterparts: [{ name: 'bureau', key: bureau.publicKey, items }],
})
const outcome = (session: string) => ({
  jobDigest: digestOf('a job'),
  session: digestOf(session),
  links: [],
})

async function verified(directory: string) {
  const trust = parseTrust(await readFile(join(directory, 'trust.json')))
  return verifyLedger(join(directory, 'ledger'), { trust, threads: 0 })
}

/** Many runs at once, by a ledger that counts them. */
async function many(ledger: PartyLedger, count: number, from = 0) {
  for (let i = from; i < from + count; i++) await beginIntersection(ledger, begun(`${i}`, 1), WIDE)
}

describe('a party’s ledger counts', () => {
  it('what its entries say, whoever opened it and however it was folded: against a plain reckoning', async () => {
    const step = fc.record({
      job: fc.constantFrom('a', 'b'),
      by: fc.constantFrom(bureau, reviewer),
      items: fc.integer({ min: 0, max: 6 }),
      reopened: fc.boolean(),
    })
    const quota = { runs: 3, lifetimeItems: 12 }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const directory = await temporary()
        let ledger = await PartyLedger.open(directory, bank)
        const [runs, tested] = [new Map<string, number>(), new Map<string, number>()]
        for (const [i, { job, by, items, reopened }] of steps.entries()) {
          if (reopened) ledger = await PartyLedger.open(directory, bank)
          const counterparts = [{ name: by.name, key: by.publicKey, items }]
          const began = await beginIntersection(
            ledger,
            { ...begun(`${i}`, 0, job), counterparts },
            quota,
          ).then(
            () => 'begun',
            error => error.rule,
          )
          const [ran, seen] = [runs.get(job) ?? 0, tested.get(by.name) ?? 0]
          const expected = ran >= 3 ? 'psi.runs' : seen + items > 12 ? 'psi.quota' : 'begun'
          expect(began).toBe(expected)
          if (expected !== 'begun') continue
          runs.set(job, ran + 1)
          tested.set(by.name, seen + items)
        }
        const total = [...runs.values()].reduce((sum, count) => sum + count, 0)
        expect((await verified(directory)).size).toBe(1 + total)
      }),
      { numRuns: 8, seed: 20261122 },
    )
  })

  it('alike from what it has kept of the fold and from the entries alone', async () => {
    const directory = await temporary()
    const ledger = await PartyLedger.open(directory, bank)
    await many(ledger, 70)
    const kept = join(directory, 'tally.json')
    expect((await stat(kept)).mode & 0o777).toBe(0o600)
    const counts = async () => {
      const counted = await (await PartyLedger.open(directory, bank)).counted()
      return [counted.runsOf(digestOf('a job')), counted.testedBy(bureau.publicKey)]
    }
    expect(await counts()).toEqual([70, 70])
    const text = await readFile(kept, 'utf8')
    // another hand counts the runs down: its number is not believed
    await writeFile(kept, text.replace(`"${digestOf('a job')}":6`, `"${digestOf('a job')}":1`))
    expect(await readFile(kept, 'utf8')).not.toBe(text)
    expect(await counts()).toEqual([70, 70])
    await rm(kept)
    expect(await counts()).toEqual([70, 70])
  })

  it('nobody who tests nothing, however much it has tested before', async () => {
    const directory = await temporary()
    const ledger = await PartyLedger.open(directory, bank)
    await beginIntersection(ledger, begun('one', 10), WIDE)
    const narrow = { runs: 1000, lifetimeItems: 5 }
    await expect(beginIntersection(ledger, begun('two', 1), narrow)).toThrowWithCode('APPROVAL_EXHAUSTED')
    await beginIntersection(ledger, begun('three', 0), narrow)
    expect((await verified(directory)).entriesByKind).toEqual({ 'party-founding': 1, 'psi-start': 2 })
  })

  it('by one process at a time, also where several begin it at once', async () => {
    const directory = await temporary()
    const quota = { runs: 3, lifetimeItems: 1000 }
    const began = await Promise.allSettled(
      Array.from({ length: 6 }, async (_, i) => {
        const ledger = await PartyLedger.open(directory, bank)
        await beginIntersection(ledger, begun(`${i}`), quota)
      }),
    )
    expect(began.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect((await verified(directory)).entriesByKind).toEqual({ 'party-founding': 1, 'psi-start': 3 })
  })

  it('no run that ended well as one that broke off', async () => {
    const directory = await temporary()
    const ledger = await PartyLedger.open(directory, bank)
    await beginIntersection(ledger, begun('one'), WIDE)
    await endIntersection(ledger, outcome('one'), { count: 3 })
    await breakIntersection(ledger, outcome('one'), new Error('x'))
    expect((await ledger.counted()).isFinished(digestOf('one'))).toBe(true)
    expect((await verified(directory)).entriesByKind).toEqual({
      'party-founding': 1,
      'psi-start': 1,
      'psi-end': 1,
    })
    expect(await readdir(join(directory, 'results'))).toEqual([`${digestOf('one')}.json`])
  })
})

describe('a party’s ledger is refused', () => {
  it('where it was set back behind what the party has counted, or changed', async () => {
    const directory = await temporary()
    const ledger = await PartyLedger.open(directory, bank)
    await many(ledger, 3)
    await cp(join(directory, 'ledger'), join(directory, 'older'), { recursive: true })
    await many(ledger, 70, 3)
    await rm(join(directory, 'ledger'), { recursive: true })
    await cp(join(directory, 'older'), join(directory, 'ledger'), { recursive: true })
    const again = await PartyLedger.open(directory, bank)
    await expect(beginIntersection(again, begun('next'), WIDE)).toThrowWithCode('LEDGER_ROLLED_BACK')
  })

  it('where it was set back by as little as one entry, whatever followed instead', async () => {
    const directory = await temporary()
    await many(await PartyLedger.open(directory, bank), 2)
    await cp(join(directory, 'ledger'), join(directory, 'older'), { recursive: true })
    await many(await PartyLedger.open(directory, bank), 1, 2)
    expect((await stat(join(directory, 'head.json'))).mode & 0o777).toBe(0o600)
    await rm(join(directory, 'ledger'), { recursive: true })
    await cp(join(directory, 'older'), join(directory, 'ledger'), { recursive: true })
    const counts = async () => (await PartyLedger.open(directory, bank)).counted()
    await expect(counts()).toThrowWithCode('LEDGER_ROLLED_BACK')
    const { Ledger } = await import('@sluice/ledger')
    const { KeyFile } = await import('@sluice/ledger/keys')
    const logSigner = await KeyFile.open(join(directory, 'log.key'))
    const replaced = await Ledger.open(join(directory, 'ledger'), { logSigner })
    const other = { kind: 'psi-start', ...begun('other'), quota: WIDE } as const
    await replaced.exclusive(writer => writer.record(other, bank))
    await replaced.exclusive(writer => writer.record({ ...other, session: digestOf('more') }, bank))
    await expect(counts()).toThrowWithCode('LEDGER_ROLLED_BACK', 'ledger.rollback')
  })

  it('where its head is of another hand', async () => {
    const directory = await temporary()
    await many(await PartyLedger.open(directory, bank), 1)
    const head = join(directory, 'head.json')
    const text = await readFile(head, 'utf8')
    await writeFile(head, text.replace('"size":2', '"size":1'))
    const ledger = await PartyLedger.open(directory, bank)
    await expect(ledger.counted()).toThrowWithCode('LEDGER_CORRUPT', 'ledger.head')
    await writeFile(head, text)
    expect((await ledger.counted()).runsOf(digestOf('a job'))).toBe(1)
  })

  it('where its log was taken away, and not where it was never begun to the end', async () => {
    const directory = await temporary()
    const log = join(directory, 'ledger')
    await PartyLedger.open(directory, bank)
    await rm(log, { recursive: true })
    await expect(PartyLedger.open(directory, bank)).toThrowWithCode('LEDGER_ROLLED_BACK')
    // as a process leaves it that is killed while it begins
    await writeFile(join(directory, 'beginning'), '')
    await many(await PartyLedger.open(directory, bank), 1)
    expect(await readdir(directory)).not.toContain('beginning')
    await rm(log, { recursive: true })
    await writeFile(join(directory, 'beginning'), '')
    await expect(PartyLedger.open(directory, bank)).toThrowWithCode('LEDGER_ROLLED_BACK')
    await rm(join(directory, 'log.key'))
    await rm(join(directory, 'trust.json'))
    await expect(PartyLedger.open(directory, bank)).toThrowWithCode('LEDGER_ROLLED_BACK')
  })

  it('where another party signed in it, or another key opens it', async () => {
    const directory = await temporary()
    await PartyLedger.open(directory, bank)
    await expect(PartyLedger.open(directory, bureau)).toThrowWithCode('KEY_UNKNOWN', 'ledger.party')
    const { Ledger, sign } = await import('@sluice/ledger')
    const { KeyFile } = await import('@sluice/ledger/keys')
    const logSigner = await KeyFile.open(join(directory, 'log.key'))
    const forged = await Ledger.open(join(directory, 'ledger'), { logSigner })
    const start: PsiStart = {
      ...{ kind: 'psi-start', time: new Date().toISOString(), quota: WIDE },
      ...begun('forged'),
    }
    const envelope = await sign(start, bureau)
    await forged.exclusive(writer => writer.append(envelope))
    const ledger = await PartyLedger.open(directory, bank)
    await expect(ledger.counted()).toThrowWithCode('KEY_UNKNOWN')
  })

  it('where nothing can be written', async () => {
    const directory = await temporary()
    await writeFile(join(directory, 'file'), '')
    await expect(PartyLedger.open(join(directory, 'file'), bank)).toThrowWithCode('FILE_MISSING')
  })
})
