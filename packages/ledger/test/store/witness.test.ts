import { signCheckpoint, verifyCosignature, witness } from '@sluice/ledger'
import { afterEach, expect, test } from 'vitest'
import { people } from '../people.js'
import { clock, create, entries } from './fixture.js'
import { MemoryFiles } from './memory-files.js'

const START = clock.now
afterEach(() => {
  clock.now = START
})
const seconds = () => Math.floor(clock.now / 1000)

test('a witness cosigns the newest checkpoint, and the ledger keeps it', async () => {
  const ledger = await create(new MemoryFiles())
  const first = await witness(ledger, people.auditor, { time: seconds() })
  expect(verifyCosignature(first, people.auditor.publicKey)).toBe(seconds())
  const [one] = await entries(1)
  await ledger.exclusive(writer => writer.append(one!))
  const second = await witness(ledger, people.auditor, { since: first.note, time: seconds() })
  expect(second.size).toBe(2)
  expect(verifyCosignature(await ledger.checkpoint(), people.auditor.publicKey)).toBe(seconds())
})

test('it does not cosign what does not continue what it saw', async () => {
  const longer = await create(new MemoryFiles())
  const some = await entries(3)
  await longer.exclusive(writer => Promise.all(some.map(each => writer.append(each))))
  const seen = await longer.checkpoint()
  const shorter = await create(new MemoryFiles())
  await expect(witness(shorter, people.auditor, { since: seen.note, time: seconds() })).toThrowWithCode(
    'LEDGER_ROLLED_BACK',
    'ledger.rollback',
  )
  const other = await entries(5, 100)
  await shorter.exclusive(writer => Promise.all(other.map(each => writer.append(each))))
  await expect(witness(shorter, people.auditor, { since: seen.note, time: seconds() })).toThrowWithCode(
    'LEDGER_FORKED',
    'ledger.fork',
  )
})

test('a checkpoint of another log is no checkpoint to continue', async () => {
  const ledger = await create(new MemoryFiles())
  const { size, root } = await ledger.checkpoint()
  const origin = people.bureau.name
  const other = await signCheckpoint({ origin, size, root }, people.bureau, seconds())
  await expect(witness(ledger, people.auditor, { since: other.note, time: seconds() })).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
})
