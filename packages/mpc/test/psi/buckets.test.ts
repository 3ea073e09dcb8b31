import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import { memoryMesh, PartyLedger, PsiStoredItems, type RunPsiOptions, runPsi } from '@sluice/mpc'
import {
  approvePsi,
  bucketBound,
  bucketCount,
  estimatePsi,
  freshPsiJob,
  goesInBuckets,
  ITEM_BYTES,
  itemHashes,
  PARTITIONS,
  type PsiApproval,
  type PsiItems,
  type PsiJob,
  parsePsiJob,
  psiJobDigest,
  readPsiItems,
} from '@sluice/mpc/psi'
import { Binary, Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { person } from '../session/parties.js'
import { recorded, startsIn } from './recorded.js'

const NAMES = ['bureau', 'bank'] as const
type Name = (typeof NAMES)[number]
const people = { bureau: person('bureau'), bank: person('bank') }
const BUCKET_ITEMS = 128
let root = ''
let made = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-buckets-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const folder = () => join(root, `${made++}`)

function jobOf(change: Record<string, unknown> = {}): PsiJob {
  return parsePsiJob({
    ...freshPsiJob(),
    purpose: 'companies that both know',
    parties: NAMES.map(name => ({ name, key: people[name].publicKey, host: '127.0.0.1', port: 7000 })),
    protocol: 'rr22',
    key: [{ name: 'id', normalize: ['width', 'trim'] }],
    size: { floor: 1, ceiling: 4096, step: 16 },
    receivers: [{ name: 'bank', learns: 'which' }],
    payload: [],
    minimumIntersection: 0,
    quota: { runs: 1, lifetimeItems: 1_000_000 },
    seconds: 60,
    ...change,
  })
}

type Ids = readonly (string | null)[]

/** In several batches, as files come. */
function* tablesOf(ids: Ids, tax?: readonly string[]): Generator<Table> {
  for (let start = 0; start < ids.length; start += 100) {
    const text = (values: Ids) => vectorFromArray(values.slice(start, start + 100), new Utf8())
    yield new Table({ id: text(ids), ...(tax !== undefined && { tax: text(tax) }) })
  }
}

const stored = (job: PsiJob, ids: Ids, directory = folder()) =>
  PsiStoredItems.read(job, tablesOf(ids), ['id'], { directory })

interface Side {
  readonly ids: Ids
  readonly tax?: readonly string[]
  /** approved before, with the same input */
  readonly approval?: PsiApproval
  readonly inMemory?: boolean
}

/** A folder for both sides' records and what is kept, which later runs find again. */
async function meeting(job: PsiJob, sides: Record<Name, Side>, home = folder()) {
  const approvals = {} as Record<Name, PsiApproval>
  for (const name of NAMES) {
    const { ids, approval, inMemory } = sides[name]
    const items = inMemory ? await readPsiItems(job, tablesOf(ids), { key: ['id'] }) : await stored(job, ids)
    approvals[name] = approval ?? (await approvePsi(job, people[name], items))
    if (items instanceof PsiStoredItems) await items.remove()
  }
  const run = async (more: Partial<Record<Name, Partial<RunPsiOptions>>> = {}) => {
    const mesh = memoryMesh(2)
    const outcomes = await Promise.allSettled(
      NAMES.map(async (name, self) => {
        const { ids, tax, inMemory } = sides[name]
        const items = inMemory
          ? await readPsiItems(job, tablesOf(ids), { key: ['id'] })
          : await stored(job, ids, join(home, `${name}-set-${made++}`))
        try {
          return await runPsi(job, {
            signer: people[name],
            approval: approvals[name],
            items,
            ledger: await PartyLedger.open(join(home, `${name}.ledger`), people[name]),
            scratch: join(home, `${name}-kept`),
            streams: mesh[self]!,
            bucketItems: BUCKET_ITEMS,
            payload: async rows => {
              const [first, ...rest] = tablesOf(ids, tax)
              const whole = first!.concat(...rest)
              const texts = [...rows].map(row => whole.getChild('tax')!.get(row))
              return new Table({ tax: vectorFromArray(texts, new Utf8()) })
            },
            ...more[name],
          })
        } finally {
          if (items instanceof PsiStoredItems) await items.remove()
          for (const stream of mesh[self]!.values()) stream.destroy()
        }
      }),
    )
    const [bureau, bank] = outcomes.map(outcome =>
      outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error),
    )
    return { bureau: bureau!, bank: bank! }
  }
  const begun = (name: Name) => startsIn(join(home, `${name}.ledger`))
  return { home, run, begun }
}

const FOLDERS = ['bank-kept', 'bank.ledger', 'bureau-kept', 'bureau.ledger']

/** All that lies there, but what is the ledgers' own. */
async function keptIn(home: string): Promise<string[]> {
  const all = await readdir(home, { recursive: true })
  return all.filter(path => !/\.ledger\/(?!kept)/.test(path)).sort()
}

function ok<T>(value: T | Error): T {
  if (value instanceof Error) throw value
  return value
}

const codeOf = (value: unknown) => (isSluiceError(value) ? value.code : 'none')

/** What a hash join says of the own rows. */
const joined = (own: Ids, other: Ids) => {
  const theirs = new Set(other.filter(id => id !== null && id.trim() !== '').map(id => id!.trim()))
  return Uint8Array.from(own, id => (id !== null && theirs.has(id.trim()) ? 1 : 0))
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `企业${from + i}`)

describe('the shape of buckets', () => {
  it('comes from public sizes: one up to the size of a bucket, else the fewest that are small enough', () => {
    const job = jobOf({ size: { floor: 1, ceiling: 2 ** 24, step: 1 } })
    expect([2 ** 20, 2 ** 20 + 1, 10_000_000, 2 ** 24].map(n => bucketCount(job, [5, n]))).toEqual([
      1, 2, 16, 16,
    ])
    expect(bucketCount(job, [10_000_000, 5])).toBe(16)
    expect(bucketBound(1000, 1)).toBe(1000)
    expect(goesInBuckets(job)).toBe(true)
    expect(goesInBuckets(jobOf({ size: { floor: 1, ceiling: 2 ** 20, step: 1 } }))).toBe(false)
    const counting = [{ name: 'bank', learns: 'count' }]
    expect(goesInBuckets({ ...job, protocol: 'ecdh', receivers: counting } as PsiJob)).toBe(false)
  })

  it('is what an estimate says of memory and disk', async () => {
    const [fewest, most] = await Promise.all(
      [2 ** 20, 2 ** 24].map(async ceiling => {
        const job = jobOf({ size: { floor: 1, ceiling, step: 1 } })
        return (await estimatePsi(job, ceiling)).find(({ protocol }) => protocol === 'rr22')!
      }),
    )
    expect(fewest!.disk).toBe(0)
    expect(most!.disk).toBe(2 ** 24 * 20 + 2 ** 21)
    // sixteen times as many items, in as much memory and a byte a row
    expect(most!.memory).toBeLessThan(1.1 * fewest!.memory + 2 ** 25)
  })

  it('has room for every bucket, in each of three hundred random sets, and not much more', () => {
    // at 2^-41 none of them fails; at the mean plus a tenth of the way to the bound nearly all would
    let [overfull, nearly] = [0, 0]
    for (let round = 0; round < 300; round++) {
      const loads = new Uint32Array(16)
      const hashes = itemHashes(messages(1600, round), '5e'.repeat(32))
      for (let item = 0; item < 1600; item++) loads[hashes[item * ITEM_BYTES + 15]! >> 4]!++
      const most = Math.max(...loads)
      if (most > bucketBound(1600, 16)) overfull++
      if (most > 100 + (bucketBound(1600, 16) - 100) / 10) nearly++
    }
    expect(overfull).toBe(0)
    expect(nearly).toBeGreaterThan(270)
    expect(bucketBound(10_000_000, 16)).toBeLessThan(1.02 * 625_000)
  })

  it('bounds the tail of the binomial distribution, summed exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 6 }), (size, log) => {
        const bins = 2 ** log
        const bound = bucketBound(size, bins)
        expect(log2Tail(size, bins, bound) + log).toBeLessThan(-41)
        // a twentieth fewer, and what is rounded, would not do
        const fewer = Math.floor(bound * 0.95) - 2
        if (bound < size && fewer > size / bins)
          expect(log2Tail(size, bins, fewer) + log).toBeGreaterThan(-41)
      }),
      { numRuns: 100 },
    )
  })
})

/** Keys of four bytes, as `itemHashes` takes them. */
function messages(count: number, round: number) {
  const bytes = new Uint8Array(Uint32Array.from({ length: count }, (_, i) => round * 100_000 + i).buffer)
  return { bytes, offsets: Int32Array.from({ length: count + 1 }, (_, i) => 4 * i) }
}

/** log2 of P[Bin(n, 1/bins) > k], every term. */
function log2Tail(n: number, bins: number, k: number): number {
  let term = n * Math.log1p(-1 / bins)
  let sum = 0
  for (let i = 0; i <= n; i++) {
    if (i > k) sum += Math.exp(term)
    term += Math.log(n - i) - Math.log(i + 1) - Math.log(bins - 1)
  }
  return Math.log2(sum)
}

describe('a set on disk', () => {
  it('has the keys and rows that one in memory has, cut into parts', async () => {
    const ids = [...numbered(0, 500), null, ' ', ...numbered(250, 300), '企业7 ']
    const job = jobOf()
    const memory: PsiItems = await readPsiItems(job, tablesOf(ids), { key: ['id'] })
    const set = await stored(job, ids)
    expect([set.count, set.rows]).toEqual([500, ids.length])
    for (const of of [1, 4, 64]) {
      const keyOf = new Map<number, string>()
      for (let index = 0; index < of; index++) {
        const bucket = await set.bucket(index, of)
        for await (const { rows, places } of set.places(index, of)) {
          for (const [i, row] of rows.entries()) keyOf.set(row, hex(bucket, places[i]!))
        }
      }
      expect(keyOf.size).toBe(ids.length - 2)
      for (const [row, key] of keyOf) expect(key).toBe(hex(memory.hashes, memory.itemOf[row]!))
    }
    await set.remove()
  })

  it('shows nothing of the keys on disk, nor of their hashes, and is gone when it is removed', async () => {
    const ids = numbered(0, 2000)
    const job = jobOf()
    const directory = folder()
    const set = await stored(job, ids, directory)
    const { hashes } = await readPsiItems(job, tablesOf(ids), { key: ['id'] })
    const files = await readdir(directory)
    expect(files.length).toBe(PARTITIONS)
    const all = Buffer.concat(await Promise.all(files.map(file => readFile(join(directory, file)))))
    expect(all.length).toBeGreaterThan(2000 * 20)
    for (let item = 0; item < 2000; item++) {
      // eight bytes would be enough to recognise one
      expect(all.includes(Buffer.from(hashes.subarray(item * ITEM_BYTES, item * ITEM_BYTES + 8)))).toBe(false)
    }
    expect(all.includes('企业')).toBe(false)
    expect((await stat(join(directory, files[0]!))).mode & 0o077).toBe(0)
    await set.remove()
    expect(await readdir(root)).not.toContain(directory.split('/').pop())
  })

  it('refuses a file that another hand changed, exchanged or cut', async () => {
    const job = jobOf()
    const directory = folder()
    const set = await stored(job, numbered(0, 3000), directory)
    const read = async () => {
      for (let index = 0; index < PARTITIONS; index++) await set.bucket(index, PARTITIONS)
    }
    const [one, other] = await Promise.all(['3', '5'].map(name => readFile(join(directory, name))))
    for (const bytes of [
      other!,
      one!.subarray(0, -1),
      flipped(one!, 40),
      flipped(one!, 3),
      Buffer.alloc(0),
    ]) {
      await writeFile(join(directory, '3'), bytes)
      await expect(read).toThrowWithCode('FINGERPRINT_MISMATCH')
    }
    await writeFile(join(directory, '3'), one!)
    await read()
    await set.remove()
  })

  it('is not made of more keys than the job allows, nor of a column that is no key, and leaves nothing', async () => {
    const job = jobOf({ size: { floor: 1, ceiling: 16, step: 16 } })
    const directory = folder()
    await expect(() => stored(job, numbered(0, 5000), directory)).toThrowWithCode('PARAMETER_INVALID')
    const tables = [new Table({ id: vectorFromArray([Uint8Array.of(1)], new Binary()) })]
    const read = () => PsiStoredItems.read(job, tables, ['id'], { directory })
    await expect(read).toThrowWithCode('SCHEMA_INVALID')
    expect(await readdir(directory).catch(() => 'none')).toBe('none')
  })

  it('says where it could not write', async () => {
    const directory = join(folder(), 'file')
    await writeFile(join(root, `${made - 1}`), 'no folder')
    await expect(() => stored(jobOf(), ['a'], directory)).toThrowWithCode('FILE_MISSING')
  })

  it('says where it could not be cut again', async () => {
    const directory = folder()
    const items = await stored(jobOf(), ['a'], directory)
    await rm(directory, { recursive: true })
    await writeFile(directory, 'no folder')
    await expect(() => items.recut(new Uint8Array(32), 16)).toThrowWithCode('FILE_MISSING')
    await items.close()
  })
})

function hex(hashes: Uint8Array, item: number): string {
  return Buffer.from(hashes.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES)).toString('hex')
}

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[at]! ^= 1
  return changed
}

describe('an intersection in buckets', () => {
  const cases: [string, string, Ids, Ids][] = [
    ['half of each', 'rr22', numbered(0, 300), numbered(150, 400)],
    ['everything', 'kkrt', numbered(0, 200), numbered(0, 200)],
    ['nothing', 'kkrt', numbered(0, 200), numbered(200, 290)],
    ['a small set and a large one', 'rr22', numbered(90, 95), numbered(0, 200)],
    [
      'rows whose keys repeat',
      'rr22',
      [...numbered(0, 90), ...numbered(0, 50), null],
      [...numbered(40, 99), '企业45'],
    ],
    ['one key alone', 'kkrt', Array(300).fill('企业1'), numbered(0, 20)],
    [
      'long keys and odd ones',
      'kkrt',
      ['x'.repeat(5000), '\u0000a', 'é', 'e\u0301', '𠀀'],
      ['𠀀', 'é', 'x'.repeat(5000)],
    ],
  ]
  it.each(cases)('finds what a hash join finds: %s, by %s', async (_, protocol, bureau, bank) => {
    const receivers = NAMES.map(name => ({ name, learns: 'which' }))
    const sides = { bureau: { ids: bureau }, bank: { ids: bank, inMemory: protocol === 'kkrt' } }
    const { home, run, begun } = await meeting(jobOf({ protocol, receivers }), sides)
    const results = await run()
    expect(ok(results.bureau).matched).toEqual(joined(bureau, bank))
    expect(ok(results.bank).matched).toEqual(joined(bank, bureau))
    for (const name of NAMES) await ok(results[name]).forget!()
    expect(await keptIn(home)).toEqual(FOLDERS)
    // what is counted is every padded bucket
    const [own, other] = [bank, bureau].map(ids => Math.ceil(new Set(ids.filter(Boolean)).size / 16) * 16)
    const count = 2 ** Math.ceil(Math.log2(Math.max(1, own! / BUCKET_ITEMS, other! / BUCKET_ITEMS)))
    expect((await begun('bureau'))[0]).toMatchObject({
      counterparts: [{ name: 'bank', items: count * bucketBound(own!, count) }],
    })
  })

  it('by Diffie and Hellman, to the one that the job names', async () => {
    const [bureau, bank] = [numbered(0, 40), numbered(30, 60)]
    const { run } = await meeting(jobOf({ protocol: 'ecdh' }), {
      bureau: { ids: bureau },
      bank: { ids: bank },
    })
    const seen: number[] = []
    const results = await run({ bank: { onProgress: fraction => seen.push(fraction) } })
    expect(ok(results.bureau).matched).toBeUndefined()
    expect(ok(results.bank).matched).toEqual(joined(bank, bureau))
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
  })

  it('hands rows over, and keeps the promise of a minimum', async () => {
    const receivers = NAMES.map(name => ({ name, learns: 'which' }))
    const payload = [{ from: 'bureau', to: 'bank', columns: ['tax'] }]
    const bureau = {
      ids: [...numbered(0, 60), '企业50'],
      tax: Array.from({ length: 61 }, (_, i) => `${i}.5`),
    }
    const sides = { bureau, bank: { ids: numbered(50, 90) } }
    const { run } = await meeting(jobOf({ receivers, payload }), sides)
    const { bank } = await run()
    const { payload: got, shared } = ok(bank)
    const pairs = [...ok(bank).matched!.keys()].flatMap(row => {
      const places = [...got!.itemOf.keys()].filter(i => got!.itemOf[i] === shared!.itemOf[row])
      return places.map(i => `${row} ${got!.columns.getChild('tax')!.get(i)}`)
    })
    const expected = ['0 50.5', '0 60.5', ...Array.from({ length: 9 }, (_, i) => `${i + 1} ${51 + i}.5`)]
    expect(pairs.sort()).toEqual(expected.sort())
    const below = await meeting(jobOf({ minimumIntersection: 11 }), sides)
    const refused = await below.run()
    expect(codeOf(refused.bank)).toBe('DISCLOSURE_REFUSED')
    expect(await readdir(join(below.home, 'bank-kept'))).toEqual([])
  })

  it('goes on only with a party that cuts its set alike', async () => {
    const sides = { bureau: { ids: numbered(0, 200) }, bank: { ids: numbered(0, 200) } }
    const { run } = await meeting(jobOf(), sides)
    const results = await run({ bank: { bucketItems: 64 } })
    expect(codeOf(results.bureau)).toBe('JOB_MISMATCH')
    expect(codeOf(results.bank)).toBe('JOB_MISMATCH')
  })
})

describe('a run that broke off', () => {
  const sides = { bureau: { ids: numbered(0, 500) }, bank: { ids: numbered(250, 700) } }
  const learnt = joined(sides.bank.ids, sides.bureau.ids)

  /** Ends after so many finished buckets, at this side. */
  const broken = (at: number, name: Name = 'bank') => {
    const interruption = new AbortController()
    const onProgress: RunPsiOptions['onProgress'] = (_, progress) => {
      if (progress?.bucket === at) interruption.abort()
    }
    return { [name]: { signal: interruption.signal, onProgress } }
  }
  const watched = () => {
    const buckets: number[] = []
    const onProgress: RunPsiOptions['onProgress'] = (_, progress) => buckets.push(progress!.bucket)
    return { buckets, more: { bank: { onProgress } } }
  }

  it('goes on where it was, loses a bucket at most, and counts what it evaluates again', async () => {
    const { home, run, begun } = await meeting(jobOf({ protocol: 'rr22' }), sides)
    for (const [at, name] of [
      [1, 'bank'],
      [2, 'bureau'],
    ] as const) {
      const results = await run(broken(at, name))
      expect(NAMES.map(one => codeOf(results[one])).sort()).toEqual(['INTERRUPTED', 'PEER_STOPPED'])
    }
    const { buckets, more } = watched()
    const results = await run(more)
    expect(ok(results.bank).matched).toEqual(learnt)
    expect(buckets[0]).toBeGreaterThanOrEqual(2)
    const runs = await begun('bureau')
    expect(runs.map(entry => 'resumes' in entry)).toEqual([false, true, true])
    const tested = runs.map(entry => entry.counterparts[0]!.items)
    expect(tested[0]).toBe(4 * bucketBound(464, 4))
    for (const again of tested.slice(1)) expect(again).toBeLessThanOrEqual(bucketBound(464, 4))
    await ok(results.bank).forget!()
    await ok(results.bureau).forget!()
    expect(await keptIn(home)).toEqual(FOLDERS)
  })

  it('is never evaluated again uncounted: each further time takes from the quota, until it is used up', async () => {
    const lifetimeItems = 4 * bucketBound(464, 4) + 1
    const job = jobOf({ protocol: 'rr22', quota: { runs: 1, lifetimeItems } })
    const { home, run } = await meeting(job, sides)
    await run(broken(2))
    // the bank says that it has finished nothing
    await rm(join(home, 'bank-kept'), { recursive: true })
    const ledger = await PartyLedger.open(join(home, 'another'), people.bank)
    const { bureau, bank } = await run({ bank: { ledger } })
    expect(codeOf(bureau)).toBe('APPROVAL_EXHAUSTED')
    expect(codeOf(bank)).toBe('PEER_STOPPED')
  })

  it('is still gone on with after one with another approval was refused for the quota', async () => {
    const job = jobOf({ protocol: 'rr22' })
    const { run } = await meeting(job, sides)
    await run(broken(2))
    const items = await stored(job, sides.bureau.ids)
    const approval = await approvePsi(job, people.bureau, items)
    await items.remove()
    const refused = await run({ bureau: { approval } })
    expect([codeOf(refused.bureau), codeOf(refused.bank)]).toEqual([
      'APPROVAL_EXHAUSTED',
      'APPROVAL_EXHAUSTED',
    ])
    const { buckets, more } = watched()
    expect(ok((await run(more)).bank).matched).toEqual(learnt)
    expect(buckets[0]).toBeGreaterThan(1)
  })

  it('counts as a run of its own where nothing was kept, and then does all of it', async () => {
    const job = jobOf({ protocol: 'rr22', quota: { runs: 2, lifetimeItems: 1_000_000 } })
    const { home, run, begun } = await meeting(job, sides)
    await run(broken(2))
    for (const name of NAMES) await rm(join(home, `${name}-kept`), { recursive: true })
    const { buckets, more } = watched()
    const results = await run(more)
    expect(ok(results.bank).matched).toEqual(learnt)
    expect(buckets[0]).toBe(1)
    expect((await begun('bureau')).map(entry => 'resumes' in entry)).toEqual([false, false])
    for (const name of NAMES) await ok(results[name]).forget!()
    const { bureau } = await run()
    expect(codeOf(bureau)).toBe('APPROVAL_EXHAUSTED')
    // what was never counted leaves nothing behind
    expect(await keptIn(home)).toEqual(FOLDERS)
    for (const name of NAMES) expect(await readdir(join(home, `${name}-kept`))).toEqual([])
  })

  it('does not go on with a result of another input, at this side or the other', async () => {
    const job = jobOf({ protocol: 'rr22', quota: { runs: 2, lifetimeItems: 1_000_000 } })
    const { home, run } = await meeting(job, sides)
    await run(broken(2))
    const changed = { bureau: { ids: numbered(100, 500) }, bank: sides.bank }
    const bank = JSON.parse(JSON.stringify(await approvalOf(job, 'bank', sides.bank.ids))) as PsiApproval
    const { buckets, more } = watched()
    const again = await meeting(job, { ...changed, bank: { ...changed.bank, approval: bank } }, home)
    expect(ok((await again.run(more)).bank).matched).toEqual(joined(sides.bank.ids, numbered(100, 500)))
    expect(buckets[0]).toBe(1)
    const unapproved = { ...sides, bank: { ids: numbered(250, 699), approval: bank } }
    const results = await (await meeting(job, unapproved, home)).run()
    expect(codeOf(results.bank)).toBe('FINGERPRINT_MISMATCH')
  })

  it('refuses what was kept where it was changed, cut, taken from elsewhere, or its key is not its own', async () => {
    const job = jobOf({ protocol: 'rr22', quota: { runs: 3, lifetimeItems: 1_000_000 } })
    const { home, run } = await meeting(job, sides)
    await run(broken(2))
    const [folder] = await readdir(join(home, 'bank-kept'))
    const path = join(home, 'bank-kept', folder!, 'kept')
    const keys = join(home, 'bank.ledger')
    const key = join(keys, (await readdir(keys)).find(name => name.startsWith('kept.'))!)
    const kept = await readFile(path)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(key)).mode & 0o777).toBe(0o600)
    // neither names nor a list of buckets can be read in it
    for (const clear of ['finished', 'session', job.nonce, psiJobDigest(job)]) {
      expect(kept.includes(clear)).toBe(false)
    }
    const elsewhere = await meeting(jobOf({ protocol: 'rr22' }), sides)
    await elsewhere.run(broken(2))
    const [theirs] = await readdir(join(elsewhere.home, 'bank-kept'))
    const foreign = await readFile(join(elsewhere.home, 'bank-kept', theirs!, 'kept'))
    for (const bytes of [flipped(kept, 30), kept.subarray(0, -20), Buffer.alloc(0), foreign]) {
      await writeFile(path, bytes)
      expect(codeOf((await run(away)).bank)).toBe('FINGERPRINT_MISMATCH')
    }
    await writeFile(path, kept)
    const secret = await readFile(key)
    await rm(key)
    expect(codeOf((await run(away)).bank)).toBe('FINGERPRINT_MISMATCH')
    await writeFile(key, secret, { mode: 0o644 })
    await chmod(key, 0o644)
    expect(codeOf((await run(away)).bank)).toBe('KEY_PERMISSIONS')
    await chmod(key, 0o600)
    expect(ok((await run()).bank).matched).toEqual(learnt)
  })

  it('is written without anybody else once all is finished', async () => {
    const { run, begun } = await meeting(jobOf({ protocol: 'rr22' }), sides)
    const results = await run()
    expect(ok(results.bank).matched).toEqual(learnt)
    await ok(results.bureau).forget!()
    // as if the bank had been killed before its rows were written: it is alone now
    const alone = await run({ ...away, bank: { streams: new Map() } })
    expect(ok(alone.bank).matched).toEqual(learnt)
    expect(ok(alone.bank).traffic.bytesSent).toBe(0)
    expect(await begun('bank')).toHaveLength(1)
  })

  it('tells a side that waits that nothing is left to do, and evaluates nothing again', async () => {
    const { home, run, begun } = await meeting(jobOf({ protocol: 'rr22' }), sides)
    const killed = new AbortController()
    const onProgress = (fraction: number) => fraction === 1 && killed.abort()
    const cut = await run({ bank: { onProgress, signal: killed.signal } })
    expect([cut.bureau, cut.bank].map(codeOf)).toEqual(['PEER_STOPPED', 'INTERRUPTED'])
    const { bureau, bank } = await run()
    expect(ok(bank).matched).toEqual(learnt)
    for (const name of NAMES) {
      expect((await begun(name)).at(-1)).toMatchObject({
        resumes: expect.any(String),
        counterparts: [{ items: 0 }],
      })
    }
    for (const result of [bureau, bank]) await ok(result).forget!()
    expect(await readdir(join(home, 'bureau-kept'))).toEqual([])
  })

  it.each([['one side', ['bank']] as const, ['both sides', NAMES] as const])(
    'keeps a finished result where the other side comes back with another approval: %s learn',
    async (_, learning) => {
      const receivers = learning.map(name => ({ name, learns: 'which' }))
      const job = jobOf({ protocol: 'rr22', receivers })
      const approval = await approvalOf(job, 'bank', sides.bank.ids)
      const known = { ...sides, bank: { ...sides.bank, approval } }
      const { home, run, begun } = await meeting(job, known)
      const killed = new AbortController()
      const onProgress = (fraction: number) => fraction === 1 && killed.abort()
      const cut = await run({ bank: { onProgress, signal: killed.signal } })
      expect(codeOf(cut.bank)).toBe('INTERRUPTED')
      // the bureau approves the same set once more, under a fresh salt
      const { bureau, bank } = await (await meeting(job, known, home)).run()
      expect(ok(bank).matched).toEqual(learnt)
      expect(codeOf(bureau)).toBe('PEER_STOPPED')
      expect(await begun('bank')).toHaveLength(1)
    },
  )

  it('keeps the promise of a minimum alone too, and records that it did', async () => {
    const job = jobOf({ protocol: 'rr22', minimumIntersection: 251 })
    const { home, run } = await meeting(job, sides)
    // as if the bank had been killed when its last bucket was finished
    const killed = new AbortController()
    const onProgress = (fraction: number) => fraction === 1 && killed.abort()
    const cut = await run({ bank: { onProgress, signal: killed.signal } })
    expect(codeOf(cut.bank)).toBe('INTERRUPTED')
    const alone = await run({ ...away, bank: { streams: new Map() } })
    expect(codeOf(alone.bank)).toBe('DISCLOSURE_REFUSED')
    const last = (await recorded(join(home, 'bank.ledger'))).at(-1)
    expect(last).toMatchObject({ kind: 'psi-break', code: 'DISCLOSURE_REFUSED', links: [] })
    expect(await readdir(join(home, 'bank-kept'))).toEqual([])
  })

  it('is one process’s at a time', async () => {
    const { run } = await meeting(jobOf({ protocol: 'rr22' }), sides)
    const [one, two] = await Promise.all([run(broken(2)), run(broken(2))])
    const codes = [one.bank, two.bank, one.bureau, two.bureau].map(codeOf)
    expect(codes.filter(code => code === 'LOCKED').length).toBeGreaterThan(0)
  })

  /** The bureau does not come. */
  const away = { bureau: { signal: AbortSignal.abort() } }
  const approvalOf = async (job: PsiJob, name: Name, ids: Ids) => {
    const set = await stored(job, ids)
    const approval = await approvePsi(job, people[name], set)
    await set.remove()
    return approval
  }
})
