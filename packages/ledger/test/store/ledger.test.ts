import { cosignCheckpoint, Ledger, parseReceipt, receiptBytes, sign, verifyConsistency } from '@sluice/ledger'
import { afterEach, expect, test } from 'vitest'
import { examples, founders, founding, log, people, person } from '../people.js'
import { clock, create, entries, name, open, options, readAll, signedFounding } from './fixture.js'
import { MemoryFiles, ROOT } from './memory-files.js'

const START = clock.now
afterEach(() => {
  clock.now = START
})

test('what was appended can be read, proved and opened again', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const some = await entries(600)
  const indexes = await ledger.exclusive(writer => Promise.all(some.map(each => writer.append(each))))
  expect(indexes).toEqual(some.map((_, i) => i + 1))
  const again = await open(files)
  expect(await readAll(again)).toEqual(['founding', ...some.map(name)])
  expect(await again.size()).toBe(601)
  for (const index of [0, 1, 255, 256, 511, 512, 600]) {
    const receipt = await again.receipt(index)
    const { envelope } = parseReceipt(receiptBytes(receipt))
    expect(name(envelope)).toBe(index === 0 ? 'founding' : name(some[index - 1]!))
    expect((await again.entry(index)).bytes).toEqual(envelope.bytes)
  }
  const tail = []
  for await (const { index } of again.entries(598)) tail.push(index)
  expect(tail).toEqual([598, 599, 600])
  await expect(again.entry(601)).toThrowWithCode('NAME_UNKNOWN')
  await expect(again.receipt(-1)).toThrowWithCode('NAME_UNKNOWN')
})

test('consistency proofs lead from every old checkpoint to the newest', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const checkpoints = [await ledger.checkpoint()]
  for (let round = 0; round < 6; round++) {
    const some = await entries(97, round * 97)
    await ledger.exclusive(writer => Promise.all(some.map(each => writer.append(each))))
    checkpoints.push(await ledger.checkpoint())
  }
  const newest = checkpoints.at(-1)!
  for (const older of checkpoints) {
    const proof = await ledger.consistency(older.size)
    verifyConsistency(older.size, newest.size, proof, older.root, newest.root)
  }
  await expect(ledger.consistency(1, 9999)).toThrowWithCode('NAME_UNKNOWN')
})

test('a writer reads what it appended itself, others see it when it is published', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const reader = await Ledger.open(ROOT, { files, logKey: log.publicKey })
  await ledger.exclusive(async writer => {
    const [one] = await entries(1)
    const index = await writer.append(one!)
    expect(await reader.size()).toBe(1)
    expect(name(await writer.entry(index))).toBe('number 0')
    expect(await reader.size()).toBe(2)
    expect(await writer.size()).toBe(2)
  })
  await expect(reader.exclusive(async () => undefined)).toThrowWithCode('USAGE')
})

test('many that wait share a sync', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const some = await entries(1000)
  const before = files.trace.length
  await ledger.exclusive(async writer => {
    await Promise.all(some.map(each => writer.append(each)))
    expect(files.trace.slice(before).filter(step => step.startsWith('sync'))).toHaveLength(2)
  })
})

test('full tiles replace partial ones, and the journal is started anew', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  for (let i = 0; i < 3; i++) {
    const some = await entries(100, i * 100)
    await ledger.exclusive(writer => Promise.all(some.map(each => writer.append(each))))
  }
  const paths = [...files.contents().keys()].map(path => path.slice(ROOT.length + 1)).sort()
  expect(paths.filter(path => path.startsWith('tile/'))).toEqual([
    'tile/0/000',
    'tile/0/001.p/45',
    'tile/1/000.p/1',
    'tile/entries/000',
    'tile/entries/001.p/45',
  ])
  const small = await open(files, {
    thresholds: { batchBytes: 5000, pendingEntries: 40, pendingBytes: 1e6, journalBytes: 9000 },
  })
  const more = await entries(300, 300)
  await small.exclusive(writer => Promise.all(more.map(each => writer.append(each))))
  expect(files.contents().get(`${ROOT}/journal`)!.length).toBeLessThan(9000)
  expect(await readAll(await open(files))).toHaveLength(601)
})

test('entries made in the zone take their time in order, however calls overlap', async () => {
  const ledger = await create(new MemoryFiles())
  const { time: _time, ...refusal } = examples.refusal
  await ledger.exclusive(async writer => {
    const recorded = await Promise.all(
      Array.from({ length: 50 }, () => {
        clock.now += 1
        return writer.record(refusal, people.operator)
      }),
    )
    expect(recorded.map(each => each.index)).toEqual(recorded.map((_, i) => i + 1))
    const times = recorded.map(each => each.envelope.predicate.time)
    expect(times).toEqual([...times].sort())
  })
})

test('a checkpoint is dated no later than entries that have taken their time and wait', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const slow = await open(files, {
    thresholds: { batchBytes: 1, pendingEntries: 1, pendingBytes: 1e6, journalBytes: 1e6 },
    // seconds pass between a record and the checkpoints made while it waits for its turn
    now: () => {
      clock.now += 700
      return clock.now
    },
  })
  const { time: _time, ...refusal } = examples.refusal
  await slow.exclusive(writer =>
    Promise.all(Array.from({ length: 300 }, () => writer.record(refusal, people.operator))),
  )
  expect(await ledger.size()).toBe(301)
})

test('a clock set back is refused, behind the last entry and behind the last checkpoint', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const { time: _time, ...refusal } = examples.refusal
  await ledger.exclusive(writer => writer.record(refusal, people.operator))
  clock.now -= 1000
  for (const each of [ledger, await open(files)]) {
    await expect(each.exclusive(writer => writer.record(refusal, people.operator))).toThrowWithCode(
      'CLOCK_BEHIND',
    )
    const [elsewhere] = await entries(1)
    await expect(each.exclusive(writer => writer.append(elsewhere!))).toThrowWithCode('CLOCK_BEHIND')
  }
  expect(await ledger.size()).toBe(2)
  clock.now += 1000
  await ledger.exclusive(writer => writer.record(refusal, people.operator))
  expect(await ledger.size()).toBe(3)
})

test('an old run and an entry from the future are refused, an approval signed days ago is not', async () => {
  const ledger = await create(new MemoryFiles())
  const old = await sign(examples.run, people.operator)
  await expect(ledger.exclusive(writer => writer.append(old))).toThrowWithCode('CLOCK_BEHIND')
  const future = new Date(clock.now + 6 * 60_000).toISOString()
  const early = await sign({ ...examples.approval, time: future }, people.bureau)
  await expect(ledger.exclusive(writer => writer.append(early))).toThrowWithCode('CLOCK_BEHIND')
  const approval = await sign(examples.approval, people.bureau)
  expect(await ledger.exclusive(writer => writer.append(approval))).toBe(1)
})

test('a ledger is never created over another, nor by fewer than its founding names', async () => {
  const files = new MemoryFiles()
  await create(files)
  await expect(create(files)).toThrowWithCode('EXISTS')
  files.tamper(`${ROOT}/checkpoint`, () => null)
  const ledger = await create(files)
  const [one] = await entries(1)
  await ledger.exclusive(writer => writer.append(one!))
  files.tamper(`${ROOT}/checkpoint`, () => null)
  await expect(create(files)).toThrowWithCode('EXISTS')

  const some = await sign(founding, founders[0]!, founders[1]!)
  const fresh = { ...options(new MemoryFiles()) }
  await expect(Ledger.create(ROOT, { ...fresh, founding: some })).toThrowWithCode('SIGNATURE_INVALID')
  const run = await sign(examples.run, people.operator)
  await expect(Ledger.create(ROOT, { ...fresh, founding: run })).toThrowWithCode('SCHEMA_INVALID')
  const other = { ...fresh, logSigner: person(log.name, 'other'), founding: await signedFounding() }
  await expect(Ledger.create(ROOT, other)).toThrowWithCode('SCHEMA_INVALID')
})

test('a missing ledger, another log’s key, and an envelope that is none', async () => {
  await expect(open(new MemoryFiles())).toThrowWithCode('FILE_MISSING')
  const files = new MemoryFiles()
  const ledger = await create(files)
  const other = person(log.name, 'other')
  await expect(Ledger.open(ROOT, { files, logKey: other.publicKey })).toThrowWithCode('CHECKPOINT_INVALID')
  const [one] = await entries(1)
  await expect(ledger.exclusive(writer => writer.append({ ...one! } as typeof one & {}))).toThrowWithCode(
    'BRAND_INVALID',
  )
  expect(await ledger.size()).toBe(1)
})

test('the second waits and is told so; it gives up when its time is over, or when it is interrupted', async () => {
  const files = new MemoryFiles()
  const [first, second] = [await create(files), await open(files)]
  const some = await entries(2)
  let waiting = 0
  const order: string[] = []
  let enter: () => void
  const entered = new Promise<void>(resolve => {
    enter = resolve
  })
  let leave: () => void
  const left = new Promise<void>(resolve => {
    leave = resolve
  })
  const holding = first.exclusive(async writer => {
    enter()
    await left
    await writer.append(some[0]!)
    order.push('first')
  })
  await entered
  await expect(second.exclusive(async () => undefined, { wait: 0 })).toThrowWithCode('LOCKED')
  await expect(second.exclusive(async () => undefined, { wait: 60 })).toThrowWithCode('LOCKED')
  const interrupt = new AbortController()
  const interrupted = second.exclusive(async () => undefined, { signal: interrupt.signal })
  interrupt.abort()
  await expect(interrupted).toThrowWithCode('INTERRUPTED')
  const after = second.exclusive(
    async writer => {
      order.push('second')
      return writer.append(some[1]!)
    },
    { onWait: () => waiting++ },
  )
  await new Promise(resolve => setTimeout(resolve, 60))
  leave!()
  await holding
  expect(await after).toBe(2)
  expect(order).toEqual(['first', 'second'])
  expect(waiting).toBe(1)
})

test('what the action throws comes out, and what it appended before stays', async () => {
  const ledger = await create(new MemoryFiles())
  const [one] = await entries(1)
  const failing = ledger.exclusive(async writer => {
    await writer.append(one!)
    throw new Error('of the action')
  })
  await expect(failing).rejects.toThrow('of the action')
  expect(await ledger.size()).toBe(2)
})

test('cosignatures are kept with their checkpoint and come with receipts', async () => {
  const files = new MemoryFiles()
  const ledger = await create(files)
  const checkpoint = await ledger.checkpoint()
  const at = Math.floor(clock.now / 1000)
  const cosigned = await cosignCheckpoint(checkpoint, people.auditor, at)
  await ledger.addCosignature(cosigned.note, people.auditor.publicKey)
  const other = await cosignCheckpoint(
    await cosignCheckpoint(checkpoint, people.bureau, at),
    person('stranger'),
    at,
  )
  await ledger.addCosignature(other.note, people.bureau.publicKey)
  const names = (note: string) => [...note.matchAll(/^— (\S+) /gm)].map(match => match[1])
  expect(names((await ledger.checkpoint()).note)).toEqual([log.name, log.name, 'auditor', 'bureau'])
  expect(names((await ledger.receipt(0)).checkpoint)).toEqual([log.name, log.name, 'auditor', 'bureau'])
  await expect(ledger.addCosignature(checkpoint.note, people.auditor.publicKey)).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
  await expect(ledger.addCosignature(cosigned.note, people.bureau.publicKey)).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
  const early = await cosignCheckpoint(checkpoint, people.auditor, at + 400)
  await expect(ledger.addCosignature(early.note, people.auditor.publicKey)).toThrowWithCode('CLOCK_BEHIND')
  const [one] = await entries(1)
  await ledger.exclusive(writer => writer.append(one!))
  expect(names((await ledger.checkpoint()).note)).toEqual([log.name, log.name])
})

test('a cosigned checkpoint that is ahead, or of another tree, is refused by its name', async () => {
  const [one, other] = await entries(2)
  const [left, right] = [await create(new MemoryFiles()), await create(new MemoryFiles())]
  await left.exclusive(writer => writer.append(one!))
  const ahead = await cosignCheckpoint(await left.checkpoint(), people.auditor, Math.floor(clock.now / 1000))
  await expect(right.addCosignature(ahead.note, people.auditor.publicKey)).toThrowWithCode(
    'LEDGER_ROLLED_BACK',
  )
  await right.exclusive(writer => writer.append(other!))
  await expect(right.addCosignature(ahead.note, people.auditor.publicKey)).toThrowWithCode('LEDGER_FORKED')
})
