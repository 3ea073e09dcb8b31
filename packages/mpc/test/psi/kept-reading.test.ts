import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, SluiceError } from '@sluice/core'
import { type KeptItemsOptions, PsiStoredItems } from '@sluice/mpc'
import { freshPsiJob, ITEM_BYTES, PARTITIONS, type PsiJob, parsePsiJob, readPsiItems } from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { person } from '../session/parties.js'

const BATCH = 500
/** batches after which what was read is safe */
const EVERY = 8
const INPUT = 'ab'.repeat(32)
/** some parts have full chunks of 8,192, some have none: one key is in two rows of three */
const IDS = Array.from({ length: 20_000 }, (_, i) => (i % 3 === 0 ? `编号${i % 20_000}` : '编号0'))
let root = ''
let made = 0
let job: PsiJob

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-reading-'))
  job = jobOf()
})
afterAll(() => rm(root, { recursive: true, force: true }))

function jobOf(): PsiJob {
  const parties = ['bureau', 'bank'].map(name => {
    return { name, key: person(name).publicKey, host: '127.0.0.1', port: 7000 }
  })
  return parsePsiJob({
    ...freshPsiJob(),
    ...{ purpose: 'companies that both know', parties, protocol: 'rr22' },
    key: [{ name: 'id', normalize: [] }],
    size: { floor: 1, ceiling: 2 ** 21, step: 1 },
    receivers: [{ name: 'bank', learns: 'which' }],
    ...{ payload: [], minimumIntersection: 0 },
    quota: { runs: 1, lifetimeItems: 2 ** 40 },
    seconds: 60,
  })
}

interface Place {
  readonly folder: string
  /** rows that were asked for first, by each call */
  readonly asked: number[]
  readonly read: (
    more?: Partial<KeptItemsOptions>,
    ids?: readonly string[],
    of?: PsiJob,
  ) => Promise<PsiStoredItems>
}

function place(): Place {
  const folder = join(root, String(made++))
  mkdirSync(folder)
  const asked: number[] = []
  const read: Place['read'] = (more = {}, ids = IDS, of = job) => {
    const from = function* (start: number): Generator<Table> {
      asked.push(start)
      for (let at = start; at < ids.length; at += BATCH) {
        yield new Table({ id: vectorFromArray(ids.slice(at, at + BATCH), new Utf8()) })
      }
    }
    return PsiStoredItems.resume(of, from, ['id'], {
      ...{ party: 'bank', scratch: join(folder, 'scratch'), keys: join(folder, 'bank.record') },
      ...{ input: INPUT, every: EVERY * BATCH, ...more },
    })
  }
  return { folder, asked, read }
}

/** Breaks off when so many rows were read, as a process does that is killed: what it wrote after that stays behind. */
async function cutShort({ folder, read }: Place, rows: number): Promise<string> {
  const interruption = new AbortController()
  const onProgress = (done: number): void => {
    if (done === rows) interruption.abort()
  }
  await expect(() => read({ onProgress, signal: interruption.signal })).toThrowWithCode('INTERRUPTED')
  const [name] = await readdir(join(folder, 'scratch'))
  return join(folder, 'scratch', name ?? '')
}

/** By row, the hash of its key as the set on disk has it. */
async function keysOf(set: PsiStoredItems): Promise<Map<number, string>> {
  const keys = new Map<number, string>()
  for (let index = 0; index < 4; index++) {
    const bucket = Buffer.from(await set.bucket(index, 4))
    for await (const { rows, places } of set.places(index, 4)) {
      rows.forEach((row, i) => {
        keys.set(row, bucket.toString('hex', places[i]! * ITEM_BYTES, (places[i]! + 1) * ITEM_BYTES))
      })
    }
  }
  return keys
}

async function fresh(ids: readonly string[]) {
  const { hashes, itemOf } = await readPsiItems(job, [new Table({ id: vectorFromArray(ids, new Utf8()) })], {
    key: ['id'],
  })
  const all = Buffer.from(hashes)
  return new Map(
    [...itemOf].map((item, row) => [row, all.toString('hex', item * ITEM_BYTES, (item + 1) * ITEM_BYTES)]),
  )
}

describe('a reading that broke off', () => {
  it('goes on at what was safe, wherever it was, and ends with the set that one reading makes', async () => {
    const whole = place()
    const once = await whole.read()
    const expected = await fresh(IDS)
    expect(await keysOf(once)).toEqual(expected)
    for (const cuts of [[500, 4_000], [9_500, 17_500], [20_000]]) {
      const broken = place()
      for (const rows of cuts) await cutShort(broken, rows)
      const set = await broken.read()
      const safe = cuts.map(rows => Math.floor(rows / (EVERY * BATCH)) * EVERY * BATCH)
      // what was whole is not read at all
      expect(broken.asked).toEqual([0, ...safe.filter(rows => rows < IDS.length)])
      expect([set.rows, set.count]).toEqual([once.rows, once.count])
      expect(set.fingerprint).toEqual(once.fingerprint)
      expect(await keysOf(set)).toEqual(expected)
      await set.remove()
      expect(await readdir(broken.folder)).toEqual(['scratch'])
      expect(await readdir(join(broken.folder, 'scratch'))).toEqual([])
    }
    await once.remove()
  })

  it('is not read again once it was whole, and is gone when it is removed', async () => {
    const one = place()
    const set = await one.read()
    await set.close()
    const again = await one.read()
    expect(one.asked).toEqual([0])
    expect(await keysOf(again)).toEqual(await fresh(IDS))
    await again.remove()
    await (await one.read()).remove()
    expect(one.asked).toEqual([0, 0])
  })

  it('reads another input anew, and other columns, and uses nothing of the old', async () => {
    const other = IDS.map(id => `${id}x`)
    const changed = place()
    await cutShort(changed, 15_500)
    const set = await changed.read({ input: 'cd'.repeat(32) }, other)
    expect(changed.asked).toEqual([0, 0])
    expect(await keysOf(set)).toEqual(await fresh(other))
    await set.close()
    // and of another job or party there is nothing
    await (await changed.read({}, IDS, jobOf())).remove()
    await (await changed.read({ party: 'bureau' })).remove()
    expect(changed.asked).toEqual([0, 0, 0, 0])
  })

  it('is never made safe of an input that changed meanwhile', async () => {
    const one = place()
    let calls = 0
    const unchanged = async (): Promise<void> => {
      if (++calls === 3) throw new Error('changed')
    }
    await expect(one.read({ unchanged })).rejects.toThrow('changed')
    expect(await readdir(join(one.folder, 'scratch'))).toEqual([])
    expect(await readdir(one.folder)).toEqual(['scratch'])
  })

  it('refuses what another hand changed, exchanged or cut, and leaves it as it is', async () => {
    const one = place()
    const folder = await cutShort(one, 17_500)
    const names = await readdir(folder)
    const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name))).size))
    // the part of the key that most rows have has full chunks
    const full = names.filter((name, i) => name !== 'kept' && sizes[i]! > 0)
    expect(full.length).toBeGreaterThan(0)
    const [part, kept] = [join(folder, full[0]!), join(folder, 'kept')]
    const [bytes, head] = [await readFile(part), await readFile(kept)]
    const tampered: [string, Buffer][] = [
      [kept, flipped(head, 40)],
      [kept, head.subarray(0, -1)],
      [kept, Buffer.alloc(0)],
      [part, bytes.subarray(0, -1)],
      [part, flipped(bytes, 200)],
    ]
    for (const [path, changed] of tampered) {
      const before = await readFile(path)
      await writeFile(path, changed)
      const refusal = await one.read().catch((error: SluiceError) => error)
      expect(refusal).toMatchObject({
        code: 'FINGERPRINT_MISMATCH',
        message: expect.stringContaining(folder),
        remedy: 'Remove that folder, and the input is read anew.',
      })
      expect(await readdir(folder)).toContain('kept')
      await writeFile(path, before)
    }
    await rm(part)
    await expect(() => one.read()).toThrowWithCode('FILE_MISSING')
  })

  it('cuts off what was written after it was safe', async () => {
    const one = place()
    const folder = await cutShort(one, 19_500)
    const [name] = (await readdir(folder)).filter(file => file !== 'kept')
    const { size } = await stat(join(folder, name!))
    await truncate(join(folder, name!), size + 5_000)
    const set = await one.read()
    expect(await keysOf(set)).toEqual(await fresh(IDS))
    await set.remove()
  })

  it('lies in files that nobody else reads, under a key beside the record, and shows nothing', async () => {
    const one = place()
    const folder = await cutShort(one, 19_500)
    const key = join(one.folder, (await readdir(one.folder)).find(name => name.startsWith('bank.record.'))!)
    const modes = await Promise.all(
      [folder, key, ...(await readdir(folder)).map(name => join(folder, name))].map(
        async path => (await stat(path)).mode,
      ),
    )
    const files = await readdir(folder)
    expect(modes.map(mode => mode & 0o777)).toEqual([0o700, 0o600, ...files.map(() => 0o600)])
    expect(files.length).toBeLessThanOrEqual(PARTITIONS + 1)
    const all = Buffer.concat(await Promise.all(files.map(file => readFile(join(folder, file)))))
    const { hashes } = await readPsiItems(job, [new Table({ id: vectorFromArray(IDS, new Utf8()) })], {
      key: ['id'],
    })
    for (let item = 0; item < 500; item++) {
      expect(all.includes(Buffer.from(hashes.subarray(item * ITEM_BYTES, item * ITEM_BYTES + 8)))).toBe(false)
    }
    for (const clear of ['编号', 'records', INPUT]) expect(all.includes(clear)).toBe(false)
    await chmod(key, 0o644)
    await expect(() => one.read()).toThrowWithCode('KEY_PERMISSIONS')
    await chmod(key, 0o600)
    // without its key, it is nobody's
    await rm(key)
    await expect(() => one.read()).toThrowWithCode('FINGERPRINT_MISMATCH')
  })

  it('trusts nothing of an input whose parts another one’s reading has begun to replace', async () => {
    const one = place()
    const folder = await cutShort(one, 17_500)
    const [key] = (await readdir(one.folder)).filter(name => name.startsWith('bank.record.'))
    const killed = join(one.folder, 'killed')
    // as it lies there when the reading of another input is killed before anything of it is safe
    const onProgress = (rows: number): void => {
      if (rows === BATCH) cpSync(folder, killed, { recursive: true })
    }
    const secret = await readFile(join(one.folder, key!))
    const set = await one.read({ input: 'cd'.repeat(32), onProgress })
    await set.remove()
    await rename(killed, folder)
    await chmod(folder, 0o700)
    await writeFile(join(one.folder, key!), secret, { mode: 0o600 })
    const again = await one.read()
    expect(await keysOf(again)).toEqual(await fresh(IDS))
    expect(one.asked).toEqual([0, 0, 0])
    await again.remove()
  })

  const wants: ErrorCode[] = ['TIME_EXCEEDED', 'ENGINE_KILLED', 'MEMORY_EXCEEDED', 'DISK_FULL']
  it.each(wants)('goes on after %s', async code => {
    const one = place()
    const onProgress = (rows: number): void => {
      if (rows === 9_500) throw new SluiceError(code, 'the engine had too little')
    }
    await expect(() => one.read({ onProgress })).toThrowWithCode(code)
    const set = await one.read()
    expect(one.asked).toEqual([0, 8_000])
    expect(set.rows).toBe(IDS.length)
    await set.remove()
  })

  it('is removed so that what a killed process leaves of it is nobody’s', async () => {
    const one = place()
    const set = await one.read()
    const scratch = join(one.folder, 'scratch')
    const [name] = await readdir(scratch)
    const [key] = (await readdir(one.folder)).filter(file => file.startsWith('bank.record.'))
    const [folder, keyPath] = [join(scratch, name!), join(one.folder, key!)]
    const { length } = readdirSync(folder)
    let [isRemoving, looks] = [true, 0]
    const removal = set.remove().finally(() => {
      isRemoving = false
    })
    while (isRemoving) {
      looks++
      // another process begins where there is no key, and trusts what `kept` says of the parts
      if (!existsSync(keyPath)) expect(existsSync(folder)).toBe(false)
      if (existsSync(folder) && listed(folder).length < length - 1) {
        expect(existsSync(join(folder, 'kept'))).toBe(false)
      }
      await new Promise(setImmediate)
    }
    await removal
    expect(looks).toBeGreaterThan(3)
  })

  it('is begun and removed by several at once, of which each has it alone', async () => {
    const one = place()
    const seen = new Set<unknown>()
    const work = async (): Promise<void> => {
      for (let round = 0; round < 8; round++) {
        await one.read({}, IDS.slice(0, 50)).then(
          async set => {
            seen.add((await keysOf(set)).size)
            await set.remove()
          },
          error => seen.add((error as SluiceError).code ?? error),
        )
        await new Promise(setImmediate)
      }
    }
    await Promise.all(Array.from({ length: 6 }, work))
    seen.delete('LOCKED')
    expect([...seen]).toEqual([50])
    expect(await readdir(one.folder)).toEqual(['scratch'])
  })

  it('follows no link, and takes no folder that others can write to', async () => {
    const one = place()
    const folder = await cutShort(one, 17_500)
    const [part] = (await readdir(folder)).filter(name => name !== 'kept')
    const [path, elsewhere] = [join(folder, part!), join(one.folder, 'elsewhere')]
    await rename(path, elsewhere)
    const size = (await stat(elsewhere)).size + 1_000
    await truncate(elsewhere, size)
    await symlink(elsewhere, path)
    await expect(() => one.read()).toThrowWithCode('FINGERPRINT_MISMATCH')
    expect((await stat(elsewhere)).size).toBe(size)
    await rm(path)
    await rename(elsewhere, path)
    await chmod(folder, 0o770)
    await expect(() => one.read()).toThrowWithCode('KEY_PERMISSIONS')
    await chmod(folder, 0o700)
    await (await one.read()).remove()
    expect(one.asked).toEqual([0, 16_000])
    // made by another before there was anything
    await symlink(root, folder)
    await expect(() => one.read()).toThrowWithCode('KEY_PERMISSIONS')
  })

  it('is one process’s at a time', async () => {
    const one = place()
    const set = await one.read()
    await expect(() => one.read()).toThrowWithCode('LOCKED')
    await set.remove()
  })
})

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[at]! ^= 1
  return changed
}

/** Names in a folder that may be gone by now. */
function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
