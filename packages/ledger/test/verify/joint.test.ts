import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ledger, type Predicate, sign, trustOf } from '@sluice/ledger'
import { verifyLedger } from '@sluice/ledger/verify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { digestOf, examples, log, people } from '../people.js'
import { Story, trust } from './story.js'

const founding = examples['party-founding']
const start = examples['joint-start']
const end = examples['joint-end']
const broken = examples['joint-break']
const NOW = Date.parse(start.time)
const ZERO = '0'.repeat(32)

/** A party's own ledger with these entries, read by the verifier. */
async function verified(entries: readonly Predicate[], signer = people.bank) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-party-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'ledger')
  const signed = await sign(founding, people.bank)
  const ledger = await Ledger.create(path, { logSigner: log, founding: signed, now: () => NOW })
  for (const entry of entries) {
    const envelope = await sign(entry, signer)
    await ledger.exclusive(writer => writer.append(envelope))
  }
  return verifyLedger(path, { trust: trustOf(founding), threads: 0 })
}

describe('the verifier takes a party’s own ledger', () => {
  it.each<[string, Predicate[]]>([
    ['with nothing in it', []],
    ['of a run that ended', [start, end]],
    [
      'of a run that broke off, and the next',
      [start, broken, { ...start, run: ZERO }, { ...end, run: ZERO }],
    ],
    ['of a run that others left before its end', [start, { ...end, left: ['bureau'] }]],
    [
      'of a party that was killed, and started again',
      [start, { ...start, run: ZERO }, { ...end, run: ZERO }],
    ],
  ])('%s', async (_, entries) => {
    expect((await verified(entries)).size).toBe(1 + entries.length)
  })

  it('and says how many entries of which kind', async () => {
    const { entriesByKind } = await verified([start, end])
    expect(entriesByKind).toEqual({ 'party-founding': 1, 'joint-start': 1, 'joint-end': 1 })
  })
})

describe('it refuses', () => {
  it.each<[string, string, Predicate[]]>([
    ['an end without a start', 'order.outcome', [end]],
    ['an end of another job', 'order.outcome', [start, { ...end, jobDigest: digestOf('another') }]],
    ['two outcomes', 'order.outcome', [start, broken, end]],
    ['one run twice', 'order.run', [start, start]],
    ['a run of others', 'order.joint', [{ ...start, parties: ['bureau', 'operator'] }]],
    [
      'a link with a stranger',
      'order.outcome',
      [start, { ...end, links: [{ ...end.links[0]!, peer: 'x' }] }],
    ],
    ['a link with itself', 'order.outcome', [start, { ...end, links: [{ ...end.links[0]!, peer: 'bank' }] }]],
    ['a stranger to blame', 'order.outcome', [start, { ...broken, about: 'x' }]],
    ['a stranger who left', 'order.outcome', [start, { ...end, left: ['x'] }]],
    ['that it left itself', 'order.outcome', [start, { ...end, left: ['bank'] }]],
    ['what belongs in a zone', 'order.joint', [examples.retirement]],
  ])('%s', async (_, rule, entries) => {
    await expect(verified(entries)).rejects.toMatchObject({ rule })
  })

  it('an entry that another signed', async () => {
    await expect(verified([start], people.bureau)).rejects.toMatchObject({ code: 'KEY_UNKNOWN' })
  })

  it('joint runs in a zone’s ledger', async () => {
    const story = await Story.begin()
    await story.append({ ...start, time: story.time }, people.operator)
    await expect(verifyLedger(story.directory, { trust, threads: 0 })).rejects.toMatchObject({
      rule: 'order.joint',
    })
  })
})
