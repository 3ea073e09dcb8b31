import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ledger, type Predicate, type PsiStart, sign, trustOf } from '@sluice/ledger'
import { parseVerifierKey, verifierKey } from '@sluice/ledger/keys'
import { verifyLedger } from '@sluice/ledger/verify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { digestOf, examples, log, people } from '../people.js'
import { Story, trust } from './story.js'

const founding = examples['party-founding']
const start: PsiStart = examples['psi-start']
const end = examples['psi-end']
const broken = examples['psi-break']
const set = examples['psi-set']
const rotation = examples['psi-rotation']
const NOW = Date.parse(start.time)
const later = { session: digestOf('a later session') }
const resumed: PsiStart = { ...start, ...later, resumes: start.session }
const twice = { runs: 2, lifetimeItems: 1000 }

/** A party's own ledger with these entries, read by the verifier. */
async function verified(entries: readonly Predicate[], signer = people.bank) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-party-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'ledger')
  const signed = await sign(founding, people.bank)
  const ledger = await Ledger.create(path, { logSigner: log, founding: signed, now: () => NOW })
  const envelopes = await Promise.all(entries.map(entry => sign(entry, signer)))
  await ledger.exclusive(async writer => {
    for (const envelope of envelopes) await writer.append(envelope)
  })
  return verifyLedger(path, { trust: trustOf(founding), threads: 0 })
}

const startOf = (change: Partial<PsiStart>): PsiStart => ({ ...start, ...change })
const asking = (items: number, change: Partial<PsiStart> = {}): PsiStart =>
  startOf({ ...change, counterparts: [{ ...start.counterparts[0]!, items }] })

describe('the verifier takes intersections in a party’s own ledger', () => {
  it.each<[string, Predicate[]]>([
    ['of a run that ended', [start, end]],
    [
      'of a run with a helper, who has no set',
      [start, { ...end, links: ['bureau', 'operator'].map(peer => ({ ...end.links[0]!, peer })) }],
    ],
    ['of a run that broke off, and was finished without the others', [start, broken, { ...end, links: [] }]],
    ['of a party that was killed, and went on', [start, resumed, { ...end, ...later }]],
    ['of a job that may run twice', [startOf({ quota: twice }), startOf({ quota: twice, ...later })]],
    [
      'of a quota used up to its last item',
      [asking(400), asking(600, { ...later, jobDigest: digestOf('b') })],
    ],
    ['of prepared sets whose key was rotated', [set, set, rotation, { ...set, epoch: 2 }]],
    ['beside joint runs', [start, { ...examples['joint-start'], parties: ['bureau', 'bank'] }, end]],
  ])('%s', async (_, entries) => {
    expect((await verified(entries)).size).toBe(1 + entries.length)
  })
})

describe('it refuses', () => {
  const prepared = { set: set.set, epoch: 1 }
  const renamed = verifierKey('renamed', parseVerifierKey(people.bureau.publicKey).publicKey)
  it.each<[string, string, Predicate[]]>([
    ['an end without a start', 'order.outcome', [end]],
    ['an end of another job', 'order.outcome', [start, { ...end, jobDigest: digestOf('another') }]],
    ['two ends', 'order.outcome', [start, end, end]],
    ['that a run broke off which had ended', 'order.outcome', [start, end, broken]],
    [
      'a link with a stranger',
      'order.outcome',
      [start, { ...end, links: [{ ...end.links[0]!, peer: 'x' }] }],
    ],
    ['a stranger to blame', 'order.outcome', [start, { ...broken, about: 'x' }]],
    ['one session twice', 'order.run', [startOf({ quota: twice }), startOf({ quota: twice })]],
    [
      'the party as its own counterpart',
      'order.psi',
      [startOf({ counterparts: [{ ...start.counterparts[0]!, name: 'bank' }] })],
    ],
    ['a run of others', 'order.psi', [startOf({ parties: ['bureau', 'operator'] })]],
    [
      'a counterpart who takes no part',
      'order.psi',
      [startOf({ counterparts: [{ ...start.counterparts[0]!, name: 'x' }] })],
    ],
    ['a link with itself', 'order.outcome', [start, { ...end, links: [{ ...end.links[0]!, peer: 'bank' }] }]],
    ['more runs than the job allows', 'psi.runs', [start, startOf(later)]],
    [
      'more items than the quota, in one job or several',
      'psi.quota',
      [asking(400), asking(601, { ...later, jobDigest: digestOf('b') })],
    ],
    [
      'the same under another name of one key',
      'psi.quota',
      [
        asking(400),
        startOf({
          ...later,
          jobDigest: digestOf('b'),
          parties: ['bank', 'renamed'],
          counterparts: [{ name: 'renamed', key: renamed.text, items: 601 }],
        }),
      ],
    ],
    [
      'items tested again beyond the quota',
      'psi.quota',
      [asking(600), { ...asking(401), ...later, resumes: start.session }],
    ],
    ['a run that goes on with none', 'psi.kept', [resumed]],
    ['one that goes on with another job', 'psi.kept', [start, { ...resumed, jobDigest: digestOf('b') }]],
    ['one that goes on with another input', 'psi.kept', [start, { ...resumed, input: digestOf('b') }]],
    ['an answer by a key that was replaced', 'psi.rotation', [set, rotation, startOf({ prepared })]],
    ['a set prepared under such a key', 'psi.rotation', [set, rotation, set]],
    ['a rotation that voids other files than there were', 'psi.rotation', [set, { ...rotation, voided: 2 }]],
  ])('%s', async (_, rule, entries) => {
    await expect(verified(entries)).rejects.toMatchObject({ rule })
  })

  it('an entry that another signed', async () => {
    await expect(verified([start], people.bureau)).rejects.toMatchObject({ code: 'KEY_UNKNOWN' })
  })

  it('intersections in a zone’s ledger', async () => {
    const story = await Story.begin()
    await story.append({ ...start, time: story.time }, people.operator)
    await expect(verifyLedger(story.directory, { trust, threads: 0 })).rejects.toMatchObject({
      rule: 'order.joint',
    })
  })
})
