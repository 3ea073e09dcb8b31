import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import {
  memoryMesh,
  PartyLedger,
  type PsiResult,
  PsiStoredItems,
  type RunPsiOptions,
  runPsi,
} from '@sluice/mpc'
import {
  approvePsi,
  bucketBound,
  freshPsiJob,
  goesInBuckets,
  type PsiApproval,
  type PsiItems,
  type PsiJob,
  parsePsiJob,
  readPsiItems,
} from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { person } from '../session/parties.js'
import { recorded, startsIn } from './recorded.js'

const BUCKET_ITEMS = 32
const BUCKETS = 4
let root = ''
let made = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-helped-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

type Learns = 'which' | 'count' | 'sum'

/** The helper is neither first nor last. */
function jobOf(learns: Learns, change: Record<string, unknown> = {}, owners = ['bureau', 'bank']): PsiJob {
  const names = [owners[0]!, 'operator', ...owners.slice(1)]
  return parsePsiJob({
    ...freshPsiJob(),
    purpose: 'companies that both know',
    parties: names.map(name => ({ name, key: person(name).publicKey, host: '127.0.0.1', port: 7000 })),
    protocol: 'helper',
    helper: 'operator',
    key: [{ name: 'id', normalize: [] }],
    size: { floor: 1, ceiling: 128, step: 128 },
    receivers: [{ name: 'bank', learns }],
    ...(learns === 'sum' && { sum: { owner: 'bureau', column: 'tax', scale: 2, bound: '1000' } }),
    payload: [],
    minimumIntersection: 0,
    quota: { runs: 1, lifetimeItems: 1_000_000 },
    seconds: 60,
    ...change,
  })
}

interface Side {
  readonly ids: readonly (string | null)[]
  readonly tax?: readonly string[]
}
type Sides = Readonly<Record<string, Side>>

function* tablesOf({ ids, tax }: Side): Generator<Table> {
  for (let start = 0; start < ids.length; start += 50) {
    const text = (values: readonly (string | null)[]) =>
      vectorFromArray(values.slice(start, start + 50), new Utf8())
    yield new Table({ id: text(ids), ...(tax !== undefined && { tax: text(tax) }) })
  }
}

/** All parties of a job in this process, who find what earlier runs kept; sets on disk, or in memory. */
async function meeting(job: PsiJob, sides: Sides, onDisk = false) {
  const home = join(root, `${made++}`)
  await mkdir(home)
  const approvals = new Map<string, PsiApproval>()
  const itemsOf = async (name: string): Promise<PsiItems | PsiStoredItems | undefined> => {
    const side = sides[name]
    if (side === undefined) return undefined
    const sum = job.sum?.owner === name ? { sum: 'tax' } : {}
    if (!onDisk) return readPsiItems(job, tablesOf(side), { key: ['id'], ...sum })
    const directory = join(home, `${name}-set-${made++}`)
    return PsiStoredItems.read(job, tablesOf(side), ['id'], { directory, ...sum })
  }
  const run = async (more: Readonly<Record<string, Partial<RunPsiOptions>>> = {}) => {
    const mesh = memoryMesh(job.parties.length)
    const outcomes = await Promise.allSettled(
      job.parties.map(async ({ name }, self) => {
        const items = await itemsOf(name)
        const known = approvals.get(name)
        const approval = known ?? (await approvePsi(job, person(name), items))
        approvals.set(name, approval)
        try {
          return await runPsi(job, {
            ...{ signer: person(name), approval, ...(items !== undefined && { items }) },
            ledger: await PartyLedger.open(join(home, `${name}.ledger`), person(name)),
            scratch: join(home, `${name}-kept`),
            ...{ streams: mesh[self]!, bucketItems: BUCKET_ITEMS },
            ...more[name],
          })
        } finally {
          if (items instanceof PsiStoredItems) await items.remove()
          for (const stream of mesh[self]!.values()) stream.destroy()
        }
      }),
    )
    return new Map(
      outcomes.map((outcome, i) => [
        job.parties[i]!.name,
        outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error),
      ]),
    )
  }
  const recordOf = (name: string) => recorded(join(home, `${name}.ledger`))
  const begun = (name: string) => startsIn(join(home, `${name}.ledger`))
  return { home, run, begun, recordOf, approvals, sides }
}

function ok(results: ReadonlyMap<string, PsiResult | Error>, name: string): PsiResult {
  const result = results.get(name)!
  if (result instanceof Error) throw result
  return result
}

const codeOf = (value: unknown) => (isSluiceError(value) ? value.code : 'none')

/** Stops a party after so many finished buckets. */
const stoppingAt = (bucket: number): Partial<RunPsiOptions> => ({
  onProgress: (_, at) => {
    if (at!.bucket >= bucket) throw new Error('gone')
  },
})

/** Streams on which the last of three writes through something else. */
function writing(
  write: (chunk: Uint8Array, pass: () => boolean, destroy: () => void) => boolean,
): Readonly<Record<string, Partial<RunPsiOptions>>> {
  const mesh = memoryMesh(3)
  const streams = mesh[2]!
  const destroy = () => {
    for (const each of streams.values()) each.destroy()
  }
  for (const stream of streams.values()) {
    const pass = stream.write.bind(stream)
    stream.write = ((chunk: Uint8Array) => write(chunk, () => pass(chunk), destroy)) as typeof stream.write
  }
  return { bureau: { streams: mesh[0]! }, operator: { streams: mesh[1]! }, bank: { streams } }
}

/** The bank leaves at its last word, the frame that ends: it has kept what it learned, and nobody else has heard so. */
const leavingAtTheEnd = () =>
  writing((chunk, pass, destroy) => {
    if (chunk.length !== 9 || chunk[4] !== 4) return pass()
    destroy()
    throw new Error('killed')
  })

const numbers = (first: number, count: number) => Array.from({ length: count }, (_, i) => String(first + i))
const taxOf = (id: string) => ((Number(id) * 37) % 2001) - 1000
const valued = (ids: readonly string[]): Side => ({ ids, tax: ids.map(id => (taxOf(id) / 100).toFixed(2)) })
/** 60 are shared */
const two: Sides = { bureau: valued(numbers(0, 100)), bank: { ids: numbers(40, 120) } }
const shared = numbers(40, 60)
const total = (shared.reduce((sum, id) => sum + taxOf(id), 0) / 100).toFixed(2)

describe('with a helper, in buckets', () => {
  it('goes there by the ceiling alone, whatever is learned', () => {
    for (const learns of ['which', 'count', 'sum'] as const) {
      const of = (ceiling: number) =>
        goesInBuckets(jobOf(learns, { size: { floor: 1, ceiling, step: 1 }, sum: undefined }))
      if (learns !== 'sum') expect([of(2 ** 20), of(2 ** 20 + 1)]).toEqual([false, true])
    }
    expect(goesInBuckets(jobOf('sum'), BUCKET_ITEMS)).toBe(true)
  })

  it.each([
    ['which', true],
    ['count', false],
    ['sum', true],
  ] as const)('says what one run would: %s, of sets on disk: %s', async (learns, onDisk) => {
    const { run, home } = await meeting(jobOf(learns), two, onDisk)
    const results = await run()
    const { count, sum, matched, forget } = ok(results, 'bank')
    expect(count).toBe(60)
    expect(sum).toBe(learns === 'sum' ? total : undefined)
    expect(matched && [...matched]).toEqual(
      learns === 'which' ? two['bank']!.ids.map(id => (shared.includes(id!) ? 1 : 0)) : undefined,
    )
    for (const name of ['bureau', 'operator']) {
      const told = ok(results, name)
      expect([told.count, told.sum, told.matched]).toEqual([undefined, undefined, undefined])
    }
    await forget!()
    for (const name of ['bureau', 'operator']) await ok(results, name).forget!()
    expect((await readdir(home)).filter(name => !/\.ledger$|-kept$/.test(name))).toEqual([])
    for (const name of ['bureau', 'bank', 'operator']) {
      expect(await readdir(join(home, `${name}-kept`))).toEqual([])
      const keys = (await readdir(join(home, `${name}.ledger`))).filter(file => file.startsWith('kept'))
      expect(keys).toEqual([])
    }
  })

  it('agrees with a plain join, of sets with duplicates and rows without a key, among three or four', async () => {
    const id = fc.option(fc.nat(40).map(String), { nil: null })
    const side = fc.array(id, { minLength: 1, maxLength: 80 }).filter(ids => ids.some(one => one !== null))
    const learns = fc.constantFrom<Learns>('which', 'count', 'sum')
    await fc.assert(
      fc.asyncProperty(side, side, fc.option(side, { nil: undefined }), learns, async (a, b, c, what) => {
        const owners = c === undefined ? ['bureau', 'bank'] : ['bureau', 'bank', 'insurer']
        const tax = a.map((_, row) => `${row % 7}.25`)
        const sides = { bureau: { ids: a, tax }, bank: { ids: b }, ...(c && { insurer: { ids: c } }) }
        const { run } = await meeting(jobOf(what, {}, owners), sides)
        const others = [a, ...(c === undefined ? [] : [c])].map(ids => new Set(ids))
        const isShared = (one: string | null) => one !== null && others.every(ids => ids.has(one))
        const wanted = new Set(b.filter(isShared))
        const { count, matched, sum } = ok(await run(), 'bank')
        expect(count).toBe(wanted.size)
        if (what === 'which') expect([...matched!]).toEqual(b.map(one => (isShared(one) ? 1 : 0)))
        const cents = a.reduce((so, one, row) => so + (wanted.has(one) ? (row % 7) * 100 + 25 : 0), 0)
        if (what === 'sum') expect(sum).toBe((cents / 100).toFixed(2))
      }),
      { numRuns: 6 },
    )
  })

  it.each(['which', 'count', 'sum'] as const)(
    'judges the minimum over all buckets, and keeps nothing of what is below it: %s',
    async learns => {
      const at = (minimumIntersection: number) => meeting(jobOf(learns, { minimumIntersection }), two)
      expect(ok(await (await at(60)).run(), 'bank').count).toBe(60)
      const { run, home } = await at(61)
      const results = await run()
      expect(codeOf(results.get('bank'))).toBe('DISCLOSURE_REFUSED')
      expect(await readdir(join(home, 'bank-kept'))).toEqual([])
    },
  )
})

describe('a run with a helper that broke off', () => {
  it.each([
    ['which', 'bank', true],
    ['which', 'operator', false],
    ['count', 'operator', false],
    ['sum', 'bureau', true],
    ['sum', 'bank', false],
    ['sum', 'operator', false],
  ] as const)(
    'goes on after what all have finished, and counts it once: %s, stopped %s, sets on disk: %s',
    async (learns, stopped, onDisk) => {
      const { run, begun } = await meeting(jobOf(learns), two, onDisk)
      for (const bucket of [1, 2]) {
        const results = await run({ [stopped]: stoppingAt(bucket) })
        for (const result of results.values()) expect(result).toBeInstanceOf(Error)
      }
      const seen: number[] = []
      const last = await run({
        bank: { onProgress: (_, { bucket } = { bucket: 0 } as never) => seen.push(bucket) },
      })
      const { count, sum, matched } = ok(last, 'bank')
      expect([count, sum]).toEqual([60, learns === 'sum' ? total : undefined])
      if (learns === 'which')
        expect([...matched!]).toEqual(two['bank']!.ids.map(id => (shared.includes(id!) ? 1 : 0)))
      expect(seen[0]).toBeGreaterThan(1)
      for (const name of ['bureau', 'bank', 'operator']) {
        const runs = await begun(name)
        expect(runs.map(({ resumes }) => resumes)).toEqual([undefined, runs[0]!.session, runs[0]!.session])
        const tested = runs.map(({ counterparts }) => counterparts.find(one => one.name === 'bank')?.items)
        const bound = bucketBound(128, BUCKETS)
        if (name === 'bank') expect(tested).toEqual([undefined, undefined, undefined])
        else {
          expect(tested[0]).toBe(BUCKETS * bound)
          // an owner is one bucket ahead of the helper at most: what it had begun is counted once more, and no other
          for (const again of tested.slice(1)) {
            expect(again! % bound).toBe(0)
            expect(again!).toBeLessThanOrEqual(2 * bound)
          }
        }
      }
    },
  )

  it.each(['bureau', 'bank', 'operator'])(
    'begins anew, with another cut, where what %s kept is gone; the others go on with their run',
    async name => {
      const { run, home, begun } = await meeting(
        jobOf('sum', { quota: { runs: 2, lifetimeItems: 10_000 } }),
        two,
      )
      await run({ operator: stoppingAt(2) })
      await rm(join(home, `${name}-kept`), { recursive: true })
      const seen: number[] = []
      const last = await run({ bank: { onProgress: (_, at) => seen.push(at!.bucket) } })
      expect(ok(last, 'bank')).toMatchObject({ count: 60, sum: total })
      expect(seen[0]).toBe(1)
      for (const other of ['bureau', 'bank', 'operator']) {
        const [first, second] = await begun(other)
        expect(second!.resumes).toBe(other === name ? undefined : first!.session)
      }
    },
  )

  it('takes nothing of a bucket that another has of another session', async () => {
    // the helper is put back to what it had before all was cut and computed again
    const job = jobOf('sum', { quota: { runs: 2, lifetimeItems: 10_000 } })
    const { run, home } = await meeting(job, two)
    await run({ bank: stoppingAt(2) })
    const [folder] = await readdir(join(home, 'operator-kept'))
    const path = join(home, 'operator-kept', folder!, 'kept')
    const early = await readFile(path)
    await rm(join(home, 'bank-kept'), { recursive: true })
    await run({ bank: stoppingAt(2) })
    await writeFile(path, early)
    const seen: number[] = []
    const last = await run({ bank: { onProgress: (_, at) => seen.push(at!.bucket) } })
    expect(ok(last, 'bank')).toMatchObject({ count: 60, sum: total })
    expect(seen[0]).toBe(1)
  })

  it('refuses what was changed of what was kept', async () => {
    const { run, home } = await meeting(jobOf('which'), two)
    await run({ bank: stoppingAt(2) })
    for (const name of ['bureau', 'bank', 'operator']) {
      const [folder] = await readdir(join(home, `${name}-kept`))
      const path = join(home, `${name}-kept`, folder!, 'kept')
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      const before = await readFile(path)
      const bytes = Buffer.from(before)
      bytes[bytes.length >> 1]! ^= 1
      await writeFile(path, bytes)
      const results = await run()
      expect(codeOf(results.get(name))).toBe('FINGERPRINT_MISMATCH')
      await writeFile(path, before)
    }
    expect(ok(await run(), 'bank').count).toBe(60)
  })

  it('uses nothing of another input, also where values alone are others', async () => {
    const job = jobOf('sum', { quota: { runs: 3, lifetimeItems: 10_000 } })
    const first = await meeting(job, two)
    await first.run({ bank: stoppingAt(2) })
    const doubled = valued(numbers(0, 100))
    const sides = first.sides as Record<string, Side>
    const changed = { ...doubled, tax: doubled.tax!.map(tax => (Number(tax) / 2).toFixed(2)) }
    sides['bureau'] = changed
    expect(codeOf((await first.run()).get('bureau'))).toBe('FINGERPRINT_MISMATCH')
    first.approvals.delete('bureau')
    const halved = shared.reduce((sum, id) => sum + Math.round(Number((taxOf(id) / 200).toFixed(2)) * 100), 0)
    expect(ok(await first.run(), 'bank').sum).toBe((halved / 100).toFixed(2))
    const runs = await first.begun('bank')
    expect(runs.at(-1)!.resumes).toBeUndefined()
    sides['bureau'] = valued(numbers(0, 100))
  })

  it('keeps a result until it is written, whoever else comes, and puts no end to it', async () => {
    for (const learns of ['which', 'sum'] as const) {
      const { run, recordOf, approvals } = await meeting(
        jobOf(learns, { quota: { runs: 2, lifetimeItems: 10_000 } }),
        two,
      )
      const first = ok(await run(), 'bank')
      // it was killed before it wrote, and the others come again with another approval of the same input
      for (const name of ['bureau', 'operator']) approvals.delete(name)
      const results = await run()
      const again = ok(results, 'bank')
      expect([again.count, again.sum, again.matched]).toEqual([first.count, first.sum, first.matched])
      expect(again.traffic.bytesSent).toBe(0)
      expect((await recordOf('bank')).map(({ kind }) => kind)).toEqual(['psi-start', 'psi-end'])
    }
  })

  it('tells the others that nothing is left to do, where the receiver ended before it could', async () => {
    const { run, begun, recordOf } = await meeting(jobOf('sum'), two)
    for (const result of (await run(leavingAtTheEnd())).values()) expect(result).toBeInstanceOf(Error)
    const last = await run()
    expect(ok(last, 'bank')).toMatchObject({ count: 60, sum: total })
    for (const name of ['bureau', 'bank', 'operator']) {
      expect(ok(last, name).traffic.rounds).toBeLessThan(4)
      const runs = await begun(name)
      expect(runs[1]!.resumes).toBe(runs[0]!.session)
      expect(runs[1]!.counterparts.map(({ items }) => items)).toEqual(name === 'operator' ? [0, 0] : [0])
      expect((await recordOf(name)).at(-1)).toMatchObject({ kind: 'psi-end' })
    }
  })
})

describe('an answer of a helper that may have been opened', () => {
  it.each([
    ['which', 2],
    ['count', 1],
    ['sum', 1],
    ['sum', 2],
  ] as const)(
    'is not given over other items but as another run: %s, of %s that may be',
    async (learns, runs) => {
      const job = jobOf(learns, { quota: { runs, lifetimeItems: 10_000 } })
      const { run, home, begun } = await meeting(job, two)
      await run({ bank: stoppingAt(3) })
      const [folder] = await readdir(join(home, 'bank-kept'))
      const path = join(home, 'bank-kept', folder!, 'kept')
      const early = await readFile(path)
      await run(leavingAtTheEnd())
      const late = await readFile(path)
      // so it says that it lacks the last bucket, in which other items might be now
      await writeFile(path, early)
      const results = await run()
      for (const name of ['bureau', 'operator']) {
        const starts = await begun(name)
        const resumed = starts.map(({ resumes }) => resumes)
        const first = starts[0]!.session
        expect(resumed).toEqual([undefined, first, ...(runs === 2 ? [undefined] : [])])
        const tested = starts.at(-1)!.counterparts.find(one => one.name === 'bank')!.items
        if (runs === 2) expect(tested).toBe(BUCKETS * bucketBound(128, BUCKETS))
        else expect(codeOf(results.get(name))).toBe('APPROVAL_EXHAUSTED')
      }
      if (runs === 2) return expect(ok(results, 'bank').count).toBe(60)
      // what had been kept of the run that was opened is as it was
      await writeFile(path, late)
      const { count, sum } = ok(await run(), 'bank')
      expect([count, sum]).toEqual([60, learns === 'sum' ? total : undefined])
    },
  )

  it('is not opened before everybody has kept the last bucket', async () => {
    const { run, home } = await meeting(jobOf('count'), two)
    const [kept, copy] = [join(home, 'bank-kept'), join(home, 'copy')]
    const tagBytes = bucketBound(128, BUCKETS) * 16
    let sent = 0
    const killed = writing((chunk, pass) => {
      // nor does it say a word more
      if (sent === BUCKETS) return true
      const isPassed = pass()
      if (chunk.length < tagBytes || ++sent < BUCKETS) return isPassed
      // it can no longer keep what it has just sent for
      cpSync(kept, copy, { recursive: true })
      rmSync(kept, { recursive: true })
      writeFileSync(kept, '')
      return isPassed
    })
    for (const stream of killed['bank']!.streams!.values()) {
      const end = stream.end.bind(stream)
      // the others have all the time to go on without it
      stream.end = () => {
        setTimeout(end, 200)
        return stream
      }
    }
    for (const result of (await run(killed)).values()) expect(result).toBeInstanceOf(Error)
    expect(sent).toBe(BUCKETS)
    await rm(kept)
    await rename(copy, kept)
    expect(ok(await run(), 'bank').count).toBe(60)
  })

  it('is counted in full where another meeting, which had only said that it is there, broke off', async () => {
    const job = jobOf('count', { quota: { runs: 3, lifetimeItems: 10_000 } })
    const { run, home, begun } = await meeting(job, two)
    const forgets = (name: string) => rm(join(home, `${name}-kept`), { recursive: true })
    await run(leavingAtTheEnd())
    for (const name of ['bureau', 'operator']) await forgets(name)
    await run(leavingAtTheEnd())
    await forgets('bank')
    expect(ok(await run(), 'bank').count).toBe(60)
    for (const name of ['bureau', 'operator']) {
      const starts = await begun(name)
      expect(starts.map(({ resumes }) => resumes)).toEqual([undefined, undefined, undefined])
      const tested = starts.map(({ counterparts }) => counterparts.find(one => one.name === 'bank')!.items)
      const all = BUCKETS * bucketBound(128, BUCKETS)
      expect(tested).toEqual([all, 0, all])
    }
  })

  it('and one that is refused for a quota leaves what is kept of another', async () => {
    const { run, approvals, begun } = await meeting(jobOf('count'), two)
    await run({ bank: stoppingAt(2) })
    const approval = approvals.get('bureau')!
    approvals.delete('bureau')
    for (const result of (await run()).values()) expect(codeOf(result)).toBe('APPROVAL_EXHAUSTED')
    approvals.set('bureau', approval)
    const seen: number[] = []
    const last = await run({ bank: { onProgress: (_, at) => seen.push(at!.bucket) } })
    expect(ok(last, 'bank').count).toBe(60)
    expect(seen[0]).toBeGreaterThan(1)
    expect(await begun('operator')).toHaveLength(2)
  })
})
