import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import { messagesOf } from '@sluice/core/desensitize/cipher'
import { estimatePreparation, PreparedFile, type PrepareOptions, prepareSet, runLocally } from '@sluice/mpc'
import {
  answerPrepared,
  askPrepared,
  distinct,
  evaluateItems,
  itemHashes,
  loadRistretto,
  newPreparedKey,
  Oprf,
  Questions,
  rotatedKey,
  VALUE_BYTES,
} from '@sluice/mpc/psi'
import { AesCtrPrg } from '@sluice/mpc/ring'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const group = await loadRistretto()
const key = newPreparedKey(group)
let root = ''
let made = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-prepared-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const tableOf = (ids: readonly (string | null)[]) => new Table({ id: vectorFromArray(ids, new Utf8()) })
const hashesOf = (items: readonly string[], set = key.set) =>
  distinct(itemHashes(messagesOf(items.map(item => keyBytes(item))), set)).hashes
const company = (i: number) => `company ${i}`

/** As `keysOf` has a key of one column. */
function keyBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}

function options(ids: readonly (string | null)[], more: Partial<PrepareOptions> = {}): PrepareOptions {
  return {
    key,
    expires: '2027-01-01T00:00:00.000Z',
    columns: [{ name: 'code', normalize: ['trim', 'case'] }],
    names: ['id'],
    input: 'of a test',
    read: use => use(ids.length, [tableOf(ids)]),
    out: join(root, `${made++}.prepared`),
    threads: 1,
    ...more,
  }
}

/** What the holder of a small set learns of a file. */
async function ask(out: string, items: readonly string[], scalar = key.scalar): Promise<number[]> {
  const hashes = hashesOf(items)
  const { outputs } = runLocally<Uint8Array | undefined>([
    askPrepared({ peer: 1, questions: new Questions(hashes, group) }),
    // biome-ignore lint/suspicious/noExplicitAny: the other side returns nothing
    answerPrepared(0, scalar, hashes.length / 16, group) as any,
  ])
  const set = await PreparedFile.open(out)
  try {
    return [...(await set.contains(outputs[0]!))]
  } finally {
    await set.close()
  }
}

/** All values of a file, which are its end. */
async function valuesIn(path: string): Promise<Set<string>> {
  const [whole, set] = [await readFile(path), await PreparedFile.open(path)]
  await set.close()
  const start = whole.length - set.head.count * VALUE_BYTES
  const at = (i: number) => whole.subarray(start + i * VALUE_BYTES, start + (i + 1) * VALUE_BYTES)
  return new Set(Array.from({ length: set.head.count }, (_, i) => at(i).toString('hex')))
}

const codeOf = (action: Promise<unknown>) =>
  action.then(
    () => 'passed',
    (error: unknown) => {
      if (!isSluiceError(error)) throw error
      return error.code
    },
  )

describe('a set that is prepared once', () => {
  it('answers which of a small one are in it, over several messages and none, whatever its rows were', async () => {
    const rows = [
      ...Array.from({ length: 700 }, (_, i) => ` ${company(i)}`),
      null,
      '',
      company(3),
      'COMPANY 3',
    ]
    const asked = options(rows)
    const done = await prepareSet(asked)
    expect(done).toMatchObject({ count: 700, items: 700 })
    const small = Array.from({ length: 600 }, (_, i) => `COMPANY ${i * 5}`)
    expect(await ask(asked.out, small)).toEqual(small.map((_, i) => (i < 140 ? 1 : 0)))
    expect(await ask(asked.out, [])).toEqual([])
    expect((await stat(asked.out)).mode & 0o777).toBe(0o600)
    expect((await readdir(root)).filter(name => name.endsWith('.work'))).toEqual([])
  })

  it('sends 32 bytes an item each way, and asks for the next items while the first are evaluated', () => {
    const hashes = hashesOf(Array.from({ length: 600 }, (_, i) => company(i)))
    const { bytesSent, rounds } = runLocally<unknown>([
      askPrepared({ peer: 1, questions: new Questions(hashes, group) }),
      answerPrepared(0, key.scalar, 600, group),
    ])
    expect(bytesSent).toEqual([600 * 32, 600 * 32])
    expect(rounds).toBe(4)
  })

  it('gives the same values, however many questions were blinded ahead', () => {
    const hashes = hashesOf(Array.from({ length: 300 }, (_, i) => company(i)))
    const values = evaluateItems(key.scalar, hashes, group)
    for (const ahead of [0, 3, 99]) {
      const questions = new Questions(hashes, group)
      const left = Array.from({ length: ahead }, () => questions.ahead()).at(-1)
      expect(left).toBe(ahead === 0 ? undefined : ahead < 10)
      const { outputs } = runLocally<unknown>([
        askPrepared({ peer: 1, questions }),
        answerPrepared(0, key.scalar, 300, group),
      ])
      expect(outputs[0]).toEqual(values)
    }
    // a blind is for one run: others are other points
    const [one, two] = [new Questions(hashes, group), new Questions(hashes, group)]
    expect(one.blinded(0, 300)).not.toEqual(two.blinded(0, 300))
  })

  it('has the function’s own values, and no others under another key', () => {
    const hashes = hashesOf(['a', 'b'])
    const oprf = new Oprf(group)
    const values = evaluateItems(key.scalar, hashes, group)
    const value = oprf.evaluate(key.scalar, hashes.subarray(16)).subarray(0, VALUE_BYTES)
    expect([...values.subarray(VALUE_BYTES)]).toEqual([...value])
    expect(evaluateItems(rotatedKey(key, group).scalar, hashes, group)).not.toEqual(values)
  })

  it('agrees with a plain look-up, whatever the sets', async () => {
    const items = fc.uniqueArray(fc.nat(15).map(String), { maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(items, items, async (left, right) => {
        const asked = options(left.length > 0 ? left : ['z'])
        await prepareSet(asked)
        expect(await ask(asked.out, right)).toEqual(right.map(item => (left.includes(item) ? 1 : 0)))
      }),
      { numRuns: 8 },
    )
  })

  it('is one file for one input, key and step, in buckets that hold all of it', async () => {
    const ids = Array.from({ length: 1200 }, (_, i) => company(i))
    const [one, two] = [options(ids, { step: 400 }), options([...ids].reverse(), { step: 400, threads: 2 })]
    const [first, second] = [await prepareSet(one), await prepareSet(two)]
    expect(second).toEqual(first)
    expect(await readFile(two.out)).toEqual(await readFile(one.out))
    const padded = options(ids.slice(0, 1000), { step: 400 })
    expect(await prepareSet(padded)).toMatchObject({ count: 1200, items: 1000 })
    // one item more under the same key and size: all values but one are those of before, those that pad too
    const more = options(ids.slice(0, 1001), { step: 400 })
    await prepareSet(more)
    const [before, after] = await Promise.all([valuesIn(padded.out), valuesIn(more.out)])
    expect([...after].filter(value => before.has(value))).toHaveLength(1199)
    const set = await PreparedFile.open(one.out)
    expect(set.head).toMatchObject({ bits: 1, count: 1200, epoch: 1 })
    expect(set.digest).toBe(first.digest)
    await set.verify()
    await expect(set.verify(AbortSignal.abort())).toThrowWithCode('INTERRUPTED')
    await set.close()
    expect(await ask(one.out, ['COMPANY 1199', 'COMPANY 1200'])).toEqual([1, 0])
    expect(await ask(padded.out, ['COMPANY 999', 'COMPANY 1199'])).toEqual([1, 0])
  })

  it('is refused before anything is evaluated where it has no key, or too many as padded', async () => {
    for (const asked of [options([]), options(['A'], { step: 2 ** 24 + 1 })]) {
      const stages = new Set<string>()
      await expect(prepareSet({ ...asked, onProgress: stage => stages.add(stage) })).toThrowWithCode(
        'PARAMETER_INVALID',
        'psi.size',
      )
      expect([...stages]).not.toContain('evaluate')
    }
  })

  it('knows nothing under another key: a file is void once its key is rotated', async () => {
    const asked = options(['A', 'B'])
    await prepareSet(asked)
    expect(await ask(asked.out, ['A', 'C'])).toEqual([1, 0])
    expect(await ask(asked.out, ['A', 'C'], rotatedKey(key, group).scalar)).toEqual([0, 0])
  })

  it('is refused wherever a byte of it was changed, or is another file', async () => {
    const asked = options(Array.from({ length: 1100 }, (_, i) => company(i)))
    const { digest } = await prepareSet(asked)
    const whole = await readFile(asked.out)
    const random = new AesCtrPrg(Buffer.alloc(16, 3))
    const path = join(root, 'changed.prepared')
    const read = async (bytes: Uint8Array) => {
      await writeFile(path, bytes)
      const set = await PreparedFile.open(path)
      try {
        await set.verify()
        return set.digest
      } finally {
        await set.close()
      }
    }
    expect(await read(whole)).toBe(digest)
    for (let i = 0; i < 200; i++) {
      const [at, bit] = new Uint32Array(random.words(2).buffer)
      const changed = Buffer.from(whole)
      // every other one in the head and the index
      changed[at! % (i % 2 === 0 ? 700 : changed.length)]! ^= 1 << (bit! & 7)
      const outcome = await codeOf(read(changed).then(found => expect(found).not.toBe(digest)))
      expect(['FILE_FORMAT', 'passed']).toContain(outcome)
    }
    for (const bad of [whole.subarray(0, -1), whole.subarray(1), Buffer.alloc(0), Buffer.from('{}\n')])
      expect(await codeOf(read(bad))).toBe('FILE_FORMAT')
    expect(await codeOf(PreparedFile.open(root))).toBe('FILE_FORMAT')
    expect(await codeOf(PreparedFile.open(join(root, 'none')))).toBe('FILE_MISSING')
  })

  it('says beforehand how long it takes, and refuses a set without keys, or a name that is taken', async () => {
    expect(await estimatePreparation(1e6, 2)).toBeGreaterThan(1)
    expect(await codeOf(prepareSet(options([null, ' '])))).toBe('PARAMETER_INVALID')
    const taken = options(['a'], { out: join(root, 'taken') })
    await writeFile(taken.out, 'mine')
    expect(await codeOf(prepareSet(taken))).toBe('EXISTS')
    expect(await readFile(taken.out, 'utf8')).toBe('mine')
    await prepareSet({ ...taken, force: true })
    expect(await codeOf(prepareSet(options(['a'], { out: join(root, 'no', 'folder') })))).toBe('FILE_MISSING')
    expect(await codeOf(prepareSet(options(['a'], { names: ['other'] })))).toBe('NAME_UNKNOWN')
  })
})

describe('a preparation that breaks off', () => {
  // three parts
  const ids = Array.from({ length: 40_000 }, (_, i) => company(i % 1500))

  it('goes on with what is done, does not read again, and keeps nothing in the clear', async () => {
    const stop = new AbortController()
    const asked = options(ids)
    const stopped = prepareSet({
      ...asked,
      signal: stop.signal,
      onProgress: (stage, fraction) => stage === 'evaluate' && fraction > 0 && stop.abort(),
    })
    expect(await codeOf(stopped)).toBe('INTERRUPTED')
    const work = `${asked.out}.work`
    expect((await stat(work)).mode & 0o077).toBe(0)
    expect((await readdir(work)).sort()).toEqual(['items-1', 'items-2', 'lock', 'plan', 'values-0'])
    expect((await stat(join(work, 'items-1'))).mode & 0o077).toBe(0)
    const hashes = Buffer.from(hashesOf(ids.slice(0, 1500).map(id => id.toUpperCase())))
    const part = await readFile(join(work, 'items-1'))
    for (let at = 0; at < hashes.length; at += 16)
      expect(part.includes(hashes.subarray(at, at + 16))).toBe(false)
    const seen: number[] = []
    const done = await prepareSet({
      ...asked,
      read: () => Promise.reject(new Error('it is read again')),
      onProgress: (stage, fraction) => stage === 'evaluate' && seen.push(fraction),
    })
    expect(seen[0]).toBeCloseTo(1 / 3)
    const straight = options(ids)
    expect(await prepareSet(straight)).toEqual(done)
    expect(await readFile(asked.out)).toEqual(await readFile(straight.out))
  })

  it('begins anew for another input, and refuses a working file that was changed', async () => {
    const asked = options(ids)
    const stop = new AbortController()
    const begin = () =>
      prepareSet({
        ...asked,
        signal: stop.signal,
        onProgress: (stage, fraction) => stage === 'evaluate' && fraction > 0 && stop.abort(),
      })
    expect(await codeOf(begin())).toBe('INTERRUPTED')
    const path = join(`${asked.out}.work`, 'items-2')
    const part = await readFile(path)
    part[40]! ^= 1
    await writeFile(path, part)
    expect(await codeOf(prepareSet(asked))).toBe('FINGERPRINT_MISMATCH')
    expect(await prepareSet({ ...asked, input: 'another' })).toMatchObject({ items: 1500 })
  })

  it('goes on after kill -9, and is locked while it runs', async () => {
    const asked = options(ids)
    const program = `
      import { prepareSet } from '@sluice/mpc'
      import { Table, Utf8, vectorFromArray } from 'apache-arrow'
      const ids = Array.from({ length: 40_000 }, (_, i) => 'company ' + (i % 1500))
      const table = new Table({ id: vectorFromArray(ids, new Utf8()) })
      const asked = ${JSON.stringify({ ...asked, key: { ...key, scalar: [...key.scalar] } })}
      asked.key.scalar = Uint8Array.from(asked.key.scalar)
      await prepareSet({ ...asked, read: use => use(ids.length, [table]), onProgress: (stage, fraction) => {
        if (stage === 'evaluate') console.log(fraction)
      } })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'close')
    let shown = ''
    for await (const chunk of child.stdout) {
      shown += String(chunk)
      if (shown.split('\n').length > 2) break
    }
    expect(await codeOf(prepareSet(asked))).toBe('LOCKED')
    child.kill('SIGKILL')
    await ended
    await expect(readFile(asked.out)).rejects.toThrow('ENOENT')
    let first = 0
    const done = await prepareSet({
      ...asked,
      read: () => Promise.reject(new Error('it is read again')),
      onProgress: (stage, fraction) => {
        if (stage === 'evaluate' && first === 0) first = fraction
      },
    })
    expect(first).toBeGreaterThan(0)
    expect(done.items).toBe(1500)
    expect(await ask(asked.out, ['COMPANY 1499', 'COMPANY 1500'])).toEqual([1, 0])
  })
})
