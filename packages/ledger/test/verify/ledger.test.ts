import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cosignCheckpoint, formatNote, parseNote, signCheckpoint } from '@sluice/ledger'
import { verifyLedger } from '@sluice/ledger/verify'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { examples, log, ORIGIN, people, person } from '../people.js'
import { Story, trust } from './story.js'

/** Every file of the public record. */
function publicFiles(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[])
    .filter(path => /^(checkpoint$|tile|witnessed)/.test(path) && statSync(join(directory, path)).isFile())
    .sort()
}

function change(path: string, edit: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, edit(readFileSync(path)))
}

describe('a ledger as it should be', () => {
  test('verifies, and the report says what it holds', async () => {
    const story = await Story.begin()
    await story.usual()
    await story.cosign(people.auditor)
    await story.cosign(people.bureau)
    await story.fill(300)
    const progress: number[] = []
    const report = await verifyLedger(story.directory, {
      trust,
      onProgress: ({ done }) => progress.push(done),
    })
    expect(report).toMatchObject({
      origin: ORIGIN,
      size: 306,
      depth: 'full',
      witnessed: [{ size: 6, by: [{ name: 'bureau' }, { name: 'auditor' }] }],
      witnessedBy: [],
      unwitnessed: { from: 6, to: 306 },
      entriesByKind: {
        founding: 1,
        registration: 1,
        request: 1,
        approval: 1,
        run: 1,
        release: 1,
        refusal: 300,
      },
      filesBeyond: 0,
    })
    expect(progress).toEqual([256, 306])
    expect(report.principals.map(({ name, active }) => [name, active])).toEqual(
      ['operator', 'bureau', 'auditor', 'reviewer', 'bank'].map(name => [name, true]),
    )
    await story.cosign(people.auditor)
    const later = await verifyLedger(story.directory, { trust, since: report.checkpoint })
    expect(later).toMatchObject({ unwitnessed: null, witnessedBy: ['auditor'] })
  })

  test('threads find what one thread finds', async () => {
    const story = await Story.begin()
    await story.usual()
    await story.fill(600)
    const [alone, threads, tree] = await Promise.all([
      verifyLedger(story.directory, { trust, threads: 0 }),
      verifyLedger(story.directory, { trust, threads: 2 }),
      verifyLedger(story.directory, { trust, threads: 1, depth: 'tree' }),
    ])
    expect(threads).toEqual(alone)
    expect(tree).toMatchObject({ size: alone.size, root: alone.root, depth: 'tree', entriesByKind: {} })
    change(join(story.directory, 'tile/entries/001'), bytes => {
      bytes[5000]! ^= 1
      return bytes
    })
    const found = await verifyLedger(story.directory, { trust, threads: 0 }).catch(error => error.toJSON())
    expect(found).toMatchObject({ code: 'LEDGER_CORRUPT', facts: { file: 'tile/entries/001' } })
    expect(found.facts.entry).toBeGreaterThanOrEqual(256)
    expect(await verifyLedger(story.directory, { trust, threads: 2 }).catch(error => error.toJSON())).toEqual(
      found,
    )
  })

  test('keys come and go, and entries count by the key that counts then', async () => {
    const story = await Story.begin()
    const rotated = person('bureau', 'new')
    const charter = [people.operator, people.bureau]
    await story.register()
    const principal = { name: 'bureau', role: 'provider' as const, key: rotated.publicKey }
    await story.append({ kind: 'key-change', time: story.time, action: 'rotate', principal }, ...charter)
    await story.register({ version: 2 }, rotated)
    await story.append(examples['key-change'], people.operator, rotated)
    await story.fill(3)
    const enrolled = examples['key-change'].principal
    const remove = { kind: 'key-change', time: story.time, action: 'remove', principal: enrolled } as const
    await story.append(remove, people.operator, rotated)
    const report = await verifyLedger(story.directory, { trust })
    expect(report.principals).toContainEqual({ ...enrolled, active: false })
    expect(report.principals).toContainEqual({ ...principal, active: true })
    await story.register({ version: 3 }, people.bureau)
    await expect(verifyLedger(story.directory, { trust })).rejects.toMatchObject({
      code: 'KEY_UNKNOWN',
      facts: { entry: 9 },
    })
  })

  test('a reader that comes while tiles are ahead of the checkpoint is served', async () => {
    const story = await Story.begin()
    await story.fill(20)
    const old = readFileSync(join(story.directory, 'checkpoint'))
    await story.fill(300)
    writeFileSync(join(story.directory, 'checkpoint'), old)
    const report = await verifyLedger(story.directory, { trust })
    expect(report.size).toBe(21)
    expect(report.filesBeyond).toBeGreaterThan(0)
  })

  test('an interrupted verification says so', async () => {
    const story = await Story.begin()
    await expect(verifyLedger(story.directory, { trust, signal: AbortSignal.abort() })).toThrowWithCode(
      'INTERRUPTED',
    )
  })
})

describe('whatever was changed is found', () => {
  test('a flipped byte in any file of the record', async () => {
    const story = await Story.begin()
    await story.usual()
    await story.cosign()
    await story.fill(200)
    await story.fill(60)
    await story.fill(3)
    const files = publicFiles(story.directory)
    expect(files).toEqual([
      'checkpoint',
      'tile/0/000',
      'tile/0/001.p/10',
      'tile/0/001.p/13',
      'tile/1/000.p/1',
      'tile/entries/000',
      'tile/entries/001.p/10',
      'tile/entries/001.p/13',
      'witnessed/6',
    ])
    await verifyLedger(story.directory, { trust })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        async (file, where, mask) => {
          const path = join(story.directory, file)
          const before = readFileSync(path)
          change(path, bytes => {
            bytes[Math.floor(where * bytes.length)]! ^= mask
            return bytes
          })
          const outcome = await verifyLedger(story.directory, { trust }).catch(error => error)
          writeFileSync(path, before)
          expect(outcome, file).toMatchObject({
            code: expect.stringMatching(/^(LEDGER_CORRUPT|CHECKPOINT_INVALID)$/),
          })
        },
      ),
      { numRuns: 120 },
    )
  })

  test('a byte too many, a byte too few, a file too few, a file too many', async () => {
    const story = await Story.begin()
    await story.fill(260)
    await story.cosign()
    const pristine = `${story.directory}-pristine`
    cpSync(story.directory, pristine, { recursive: true })
    const reset = () => {
      rmSync(story.directory, { recursive: true })
      cpSync(pristine, story.directory, { recursive: true })
    }
    for (const file of publicFiles(story.directory)) {
      const path = join(story.directory, file)
      for (const edit of [
        (b: Buffer) => Buffer.concat([b, Buffer.of(0x0a)]),
        (b: Buffer) => b.subarray(0, -1),
      ]) {
        change(path, edit)
        await expect(verifyLedger(story.directory, { trust }), file).rejects.toMatchObject({ exitCode: 5 })
        reset()
      }
      rmSync(path)
      const removed = verifyLedger(story.directory, { trust })
      if (file.startsWith('witnessed')) expect((await removed).unwitnessed).toEqual({ from: 0, to: 261 })
      else await expect(removed, file).rejects.toHaveProperty('code')
      reset()
    }
    writeFileSync(join(story.directory, 'tile/0/note.txt'), 'x')
    await expect(verifyLedger(story.directory, { trust })).toThrowWithCode('LEDGER_CORRUPT', 'ledger.file')
  })

  test('entries exchanged with their tiles, and the whole tree rewritten under another log key', async () => {
    const story = await Story.begin()
    await story.usual()
    const other = person(ORIGIN, 'other')
    await expect(
      verifyLedger(story.directory, { trust: { ...trust, logKey: other.publicKey } }),
    ).toThrowWithCode('CHECKPOINT_INVALID')
    await expect(
      verifyLedger(story.directory, { trust: { ...trust, founders: trust.founders.slice(1) } }),
    ).toThrowWithCode('KEY_UNKNOWN', 'founding')
    const stranger = person('auditor', 'other').publicKey
    const founders = trust.founders.map(key => (key.startsWith('auditor+') ? stranger : key))
    await expect(verifyLedger(story.directory, { trust: { ...trust, founders } })).toThrowWithCode(
      'KEY_UNKNOWN',
    )
  })

  test('a log set back behind a cosigned checkpoint, and behind one that somebody kept', async () => {
    const story = await Story.begin()
    await story.usual()
    cpSync(story.directory, `${story.directory}-old`, { recursive: true })
    await story.fill(5)
    const kept = (await story.ledger.checkpoint()).note
    await expect(verifyLedger(`${story.directory}-old`, { trust, since: kept })).toThrowWithCode(
      'LEDGER_ROLLED_BACK',
    )
    await story.cosign()
    cpSync(join(story.directory, 'witnessed'), join(`${story.directory}-old`, 'witnessed'), {
      recursive: true,
    })
    await expect(verifyLedger(`${story.directory}-old`, { trust })).toThrowWithCode('LEDGER_ROLLED_BACK')
    expect((await verifyLedger(story.directory, { trust, since: kept })).size).toBe(11)
  })

  test('a forked log, by the checkpoint that somebody kept', async () => {
    const [left, right] = [await Story.begin(), await Story.begin()]
    await left.fill(4)
    await right.usual()
    const since = (await left.ledger.checkpoint()).note
    await expect(verifyLedger(right.directory, { trust, since })).toThrowWithCode('LEDGER_FORKED')
    await left.cosign()
    cpSync(join(left.directory, 'witnessed'), join(right.directory, 'witnessed'), { recursive: true })
    await expect(verifyLedger(right.directory, { trust })).toThrowWithCode('LEDGER_FORKED')
  })

  test('a kept checkpoint that the log never signed proves nothing', async () => {
    const story = await Story.begin()
    const { root } = await story.ledger.checkpoint()
    const forged = await signCheckpoint({ origin: ORIGIN, size: 99, root }, person(ORIGIN, 'other'), 1)
    await expect(verifyLedger(story.directory, { trust, since: forged.note })).toThrowWithCode(
      'CHECKPOINT_INVALID',
    )
  })

  test('a line by a stranger, and a cosignature that is wrong', async () => {
    const story = await Story.begin()
    const path = join(story.directory, 'checkpoint')
    const checkpoint = await story.ledger.checkpoint()
    writeFileSync(path, (await cosignCheckpoint(checkpoint, person('stranger'), 1)).note)
    await expect(verifyLedger(story.directory, { trust })).toThrowWithCode(
      'CHECKPOINT_INVALID',
      'checkpoint.stranger',
    )
    const { text, signatures } = parseNote((await cosignCheckpoint(checkpoint, people.auditor, 1)).note)
    const last = signatures.at(-1)!
    const wrong = {
      ...last,
      signature: Uint8Array.from(last.signature, (byte, i) => (i === 40 ? byte ^ 1 : byte)),
    }
    writeFileSync(path, formatNote({ text, signatures: [...signatures.slice(0, -1), wrong] }))
    await expect(verifyLedger(story.directory, { trust })).toThrowWithCode('CHECKPOINT_INVALID')
  })

  test('an entry that its signer did not sign, on the thread that scans and on this one', async () => {
    const forged = { ...person('operator', 'forged'), keyId: people.operator.keyId }
    const story = await Story.begin()
    await story.append({ ...examples.refusal, time: story.time }, forged)
    await expect(verifyLedger(story.directory, { trust })).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      facts: { entry: 1 },
    })
    // the insurer's key is not known when the bundle is handed out to be scanned
    const later = await Story.begin()
    await later.append(examples['key-change'], people.operator, people.bureau)
    const insurer = { ...person('insurer', 'forged'), keyId: person('insurer').keyId }
    await later.append({ ...examples.refusal, time: later.time }, insurer)
    await expect(verifyLedger(later.directory, { trust })).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      facts: { entry: 2 },
    })
    const honest = await Story.begin()
    await honest.append(examples['key-change'], people.operator, people.bureau)
    await honest.append({ ...examples.refusal, time: honest.time }, person('insurer'))
    expect((await verifyLedger(honest.directory, { trust })).size).toBe(3)
  })

  test('no ledger at all', async () => {
    const story = await Story.begin()
    await expect(verifyLedger(`${story.directory}-none`, { trust })).toThrowWithCode('FILE_MISSING')
    expect(log.name).toBe(trust.origin)
  })
})
