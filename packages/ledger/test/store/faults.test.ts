import { cosignCheckpoint, type Envelope, type Ledger, type Thresholds } from '@sluice/ledger'
import { beforeAll, describe, expect, test } from 'vitest'
import { people } from '../people.js'
import { clock, create, entries, name, open, readAll } from './fixture.js'
import { type Fault, MemoryFiles, ROOT, type Survival } from './memory-files.js'

/** A short life that goes through every kind of write: batches, tiles that fill, a journal begun anew, a cosignature. */
const BEFORE = 252
const THRESHOLDS: Thresholds = { batchBytes: 3000, pendingEntries: 6, pendingBytes: 1e6, journalBytes: 7000 }
let before: MemoryFiles
let coming: Envelope[]

beforeAll(async () => {
  before = new MemoryFiles()
  await create(before)
  const once = { batchBytes: 1e7, pendingEntries: 1000, pendingBytes: 1e7, journalBytes: 1000 }
  const ledger = await open(before, { thresholds: once })
  const some = await entries(BEFORE - 1)
  await ledger.exclusive(writer => Promise.all(some.map(each => writer.append(each))))
  coming = await entries(12, BEFORE - 1)
})

interface Life {
  readonly acknowledged: Map<number, string>
  cosigned: number | null
  error: unknown
}

async function live(ledger: Ledger): Promise<Life> {
  const life: Life = { acknowledged: new Map(), cosigned: null, error: undefined }
  const append = async (writer: { append(envelope: Envelope): Promise<number> }, envelope: Envelope) => {
    life.acknowledged.set(await writer.append(envelope), name(envelope))
  }
  try {
    await ledger.exclusive(async writer => {
      for (const each of coming.slice(0, 2)) await append(writer, each)
    })
    await ledger.exclusive(async writer => {
      const appended = await Promise.allSettled(coming.slice(2, 11).map(each => append(writer, each)))
      for (const each of appended) if (each.status === 'rejected') throw each.reason
    })
    const checkpoint = await ledger.checkpoint()
    const { note } = await cosignCheckpoint(checkpoint, people.auditor, Math.floor(clock.now / 1000))
    await ledger.addCosignature(note, people.auditor.publicKey)
    life.cosigned = checkpoint.size
    await ledger.exclusive(writer => append(writer, coming[11]!))
  } catch (error) {
    life.error = error
  }
  return life
}

/** Opens without a hand's help; has all that was acknowledged, nothing but what was appended; and goes on. */
async function expectWhole(files: MemoryFiles, { acknowledged, cosigned }: Life): Promise<void> {
  const ledger = await open(files, { thresholds: THRESHOLDS })
  const tail: string[] = []
  for await (const { envelope } of ledger.entries(BEFORE)) tail.push(name(envelope))
  expect(coming.slice(0, tail.length).map(name)).toEqual(tail)
  for (const [index, text] of acknowledged) expect(tail[index - BEFORE]).toBe(text)
  if (cosigned !== null) expect(files.contents().has(`${ROOT}/witnessed/${cosigned}`)).toBe(true)
  const [more] = await entries(1, 1000)
  const index = await ledger.exclusive(writer => writer.append(more!))
  expect(index).toBe(BEFORE + tail.length)
  // both lead to the root of the newest checkpoint
  await ledger.receipt(index)
  await ledger.receipt(0)
}

async function livesWith(
  fault: Fault,
  then: (files: MemoryFiles, life: Life) => Promise<void>,
  stride = 1,
): Promise<number> {
  for (let step = 0; ; step += stride) {
    const files = before.copy()
    const ledger = await open(files, { thresholds: THRESHOLDS })
    const opened = files.steps
    files.failAt(opened + step, fault)
    const life = await live(ledger)
    if (files.steps <= opened + step) return step
    expect(life.error, files.trace.at(-1)).toBeDefined()
    try {
      await then(files, life)
    } catch (error) {
      throw new Error(`after a fault at step ${step}: ${files.trace[opened + step]}`, { cause: error })
    }
  }
}

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('the life goes through every kind of step', async () => {
  const files = before.copy()
  const ledger = await open(files, { thresholds: THRESHOLDS })
  const life = await live(ledger)
  expect(life.error).toBeUndefined()
  expect(life.acknowledged.size).toBe(12)
  const trace = files.trace.join('\n')
  for (const step of [
    `write ${ROOT}/journal at`,
    `sync ${ROOT}/journal`,
    `rename ${ROOT}/temporary/0 ${ROOT}/journal`,
    `${ROOT}/tile/entries/000\n`,
    `${ROOT}/tile/1/000.p/1\n`,
    `${ROOT}/checkpoint\n`,
    `remove ${ROOT}/tile/0/000.p`,
    `${ROOT}/witnessed/263\n`,
    `syncdir ${ROOT}/tile/entries/001.p`,
  ]) {
    expect(trace).toContain(step)
  }
})

describe('the machine stops at each step in turn', () => {
  test.each<Survival>(['lost', 'kept', 'mixed'])('unsynced writes are %s', async survival => {
    const random = generator(7)
    const steps = await livesWith({ kind: 'crash' }, async (files, life) => {
      await expectWhole(files.afterCrash(survival, random), life)
    })
    expect(steps).toBeGreaterThan(80)
  })

  test('and once more while the ledger is brought in order', async () => {
    const random = generator(11)
    let recoveries = 0
    const recover = async (files: MemoryFiles, life: Life) => {
      const first = files.afterCrash('mixed', random)
      for (let step = 0; ; step += 5) {
        const second = first.copy()
        second.failAt(step, { kind: 'crash' })
        const opened = await open(second, { thresholds: THRESHOLDS }).catch(() => null)
        if (opened !== null) break
        recoveries++
        await expectWhole(second.afterCrash('mixed', random), life)
      }
    }
    await livesWith({ kind: 'crash' }, recover, 5)
    expect(recoveries).toBeGreaterThan(15)
  })
})

describe('a call fails at each step in turn, and the process goes on', () => {
  test.each(['EIO', 'ENOSPC'])('%s', async code => {
    await livesWith({ kind: 'error', code }, async (files, life) => {
      expect(life.error).toMatchObject({ code: code === 'ENOSPC' ? 'DISK_FULL' : 'ZONE_DAMAGED' })
      await expectWhole(files, life)
    })
  })
})

test('a disk that stays full: nothing more is acknowledged, and the ledger is as it was', async () => {
  const files = before.copy()
  const ledger = await open(files)
  files.full = true
  await expect(ledger.exclusive(writer => writer.append(coming[0]!))).toThrowWithCode('DISK_FULL')
  await expect(ledger.exclusive(writer => writer.append(coming[1]!))).toThrowWithCode('DISK_FULL')
  expect(await ledger.size()).toBe(BEFORE)
  files.full = false
  expect(await ledger.exclusive(writer => writer.append(coming[2]!))).toBe(BEFORE)
  expect((await readAll(await open(files))).at(-1)).toBe(name(coming[2]!))
})

test('beginning a ledger can stop anywhere, and be done again', async () => {
  const random = generator(3)
  for (let step = 0; ; step++) {
    const files = new MemoryFiles()
    files.failAt(step, { kind: 'crash' })
    const created = await create(files).catch(() => null)
    if (created !== null) break
    const after = files.afterCrash('mixed', random)
    const begun = after.contents().has(`${ROOT}/checkpoint`)
    const ledger = begun ? await open(after) : await create(after)
    expect(await readAll(ledger)).toEqual(['founding'])
  }
})

describe('what no crash leaves behind is refused, and not touched', () => {
  async function refused(change: (files: MemoryFiles) => void, code: string): Promise<void> {
    const files = before.copy()
    const ledger = await open(files)
    await ledger.exclusive(async writer => {
      for (const each of coming) await writer.append(each)
    })
    change(files)
    const bytes = () =>
      [...files.contents()].map(([path, content]) => `${path} ${content.toString('base64')}`)
    const damaged = bytes().join('\n')
    await expect(open(files)).toThrowWithCode(code)
    expect(bytes().join('\n') === damaged).toBe(true)
  }
  const flip = (path: string, at: (length: number) => number) => (files: MemoryFiles) =>
    files.tamper(`${ROOT}/${path}`, bytes => {
      bytes[at(bytes.length)]! ^= 1
      return bytes
    })

  test('a journal that was changed, cut, or lost', async () => {
    await refused(
      flip('journal', length => Math.floor(length / 2)),
      'LEDGER_CORRUPT',
    )
    await refused(
      flip('journal', () => 9),
      'LEDGER_CORRUPT',
    )
    await refused(files => files.tamper(`${ROOT}/journal`, () => null), 'LEDGER_CORRUPT')
    await refused(
      files => files.tamper(`${ROOT}/journal`, bytes => bytes.subarray(0, bytes.length - 1)),
      'LEDGER_ROLLED_BACK',
    )
  })

  test('a tile, a bundle or a checkpoint that was changed', async () => {
    await refused(
      flip('tile/0/001.p/8', () => 3),
      'LEDGER_CORRUPT',
    )
    await refused(
      flip('tile/entries/001.p/8', () => 3),
      'LEDGER_CORRUPT',
    )
    await refused(
      flip('checkpoint', () => 60),
      'CHECKPOINT_INVALID',
    )
  })

  test('a ledger set back behind its journal’s beginning, or behind a cosigned checkpoint', async () => {
    const files = before.copy()
    const old = files.contents()
    const ledger = await open(files, { thresholds: THRESHOLDS })
    await live(ledger)
    for (const path of ['checkpoint', 'journal']) {
      const set = files.copy()
      set.tamper(`${ROOT}/${path}`, () => Buffer.from(old.get(`${ROOT}/${path}`)!))
      await expect(open(set)).toThrowWithCode('LEDGER_ROLLED_BACK')
    }
    const both = files.copy()
    for (const path of ['checkpoint', 'journal']) {
      both.tamper(`${ROOT}/${path}`, () => Buffer.from(old.get(`${ROOT}/${path}`)!))
    }
    await expect(open(both)).toThrowWithCode('LEDGER_ROLLED_BACK')
  })

  test('an acknowledged entry that is damaged in the journal, though no checkpoint has it yet', async () => {
    const files = before.copy()
    const ledger = await open(files, { thresholds: { ...THRESHOLDS, pendingEntries: 1000 } })
    let journal = Buffer.alloc(0)
    await ledger.exclusive(async writer => {
      for (const each of coming.slice(0, 3)) await writer.append(each)
      journal = Buffer.from(files.contents().get(`${ROOT}/journal`)!)
    })
    const start = before.contents().get(`${ROOT}/journal`)!.length
    const crashed = before.copy()
    const put = (change: (bytes: Buffer) => Buffer) =>
      crashed.tamper(`${ROOT}/journal`, () => change(Buffer.from(journal)))
    put(bytes => {
      bytes[start + 100]! ^= 1
      return bytes
    })
    await expect(open(crashed)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT', facts: { entry: BEFORE } })
    // the last batch can be torn: nothing after it says that it was synced
    put(bytes => bytes.subarray(0, -10))
    expect(await (await open(crashed)).size()).toBe(BEFORE + 2)
  })
})
