import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { type CheckedResult, checkDisclosure, sealRawResult } from '@sluice/core/disclosure'
import { approvePlan } from '@sluice/core/plan'
import {
  eraseReleased,
  type Files,
  type LedgerWriter,
  nodeFiles,
  type Release,
  readReleased,
  release,
  sweepResults,
} from '@sluice/ledger'
import { verifyReceipt } from '@sluice/ledger/verify'
import { tableFromArrays, tableFromIPC } from 'apache-arrow'
import { expect, onTestFinished, test } from 'vitest'
import { exactEvidence } from '../../../core/test/disclosure/cells.ts'
import { approvalInput, reviewed } from '../../../core/test/plan/approved.ts'
import { column, dataset, Plans, planOf } from '../../../core/test/plan/plans.ts'
import { digestOf, people } from '../people.js'
import { Story, trust } from '../verify/story.js'

const POLICY = `version: 1
owner: bank
grade: 1
entity: {column: person_id}
disclosure: {minimumEntities: 3, onFailure: suppress, step: {rows: 10, milliseconds: 500}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  person_id: {role: identifier}
  state: {role: quasi, uses: [group], values: public}
`

const REQUEST = digestOf('request')

/** Two groups, of which the second has too few people: its count is suppressed. */
async function checked(): Promise<CheckedResult> {
  const plans = new Plans()
  const loans = plans.scan('loans', 'state')
  const grouped = plans.aggregate(loans, { state: column(loans, 'state') }, { many: ['count', null] })
  const facts = dataset('loans', ['person_id', 'state'], POLICY)
  const input = approvalInput(reviewed(planOf(grouped), [facts]))
  const plan = approvePlan({
    ...input,
    request: { ...input.request, digest: REQUEST },
    approvals: input.approvals.map(each => ({ ...each, requestDigest: REQUEST })),
  })
  const rows = [0, 1, 2, 3, 4].map(entity => ({ entity, group: entity < 4 ? 0 : 1, amount: 1, flag: false }))
  const { id } = column(grouped, 'many') as { id: number }
  const evidence = [
    exactEvidence(rows, 2, { kind: 'group' }, () => true, []),
    exactEvidence(rows, 2, { kind: 'cell', id }, () => true, [() => 1]),
  ]
  return checkDisclosure(
    sealRawResult({
      approved: plan,
      table: tableFromArrays({ state: ['a', 'b'], many: Float64Array.of(4, 1) }),
      keep: null,
      keepDependsOn: [],
      rank: null,
      rankDependsOn: [],
      keyRank: null,
      limit: null,
      evidence,
      isolation: 'process',
      milliseconds: 123,
    }),
  )
}

async function setting() {
  const story = await Story.begin()
  const results = join(mkdtempSync(join(tmpdir(), 'sluice-results-')), 'results')
  onTestFinished(() => rmSync(join(results, '..'), { recursive: true, force: true }))
  const options = { operator: people.operator, run: 'run-1', results }
  return { story, results, options }
}

test('what is released is in the ledger, in the zone, and under its receipt', async () => {
  const { story, results, options } = await setting()
  const result = await checked()
  const released = await story.ledger.exclusive(writer => release(result, { ...options, writer }))
  expect(released.release).toMatchObject({
    kind: 'release',
    run: 'run-1',
    requestDigest: REQUEST,
    isolation: 'process',
    milliseconds: 500,
  })
  expect(Object.values(released.release.suppressed)).toEqual([10])
  expect(released.table.toArray().map(row => row.toJSON())).toEqual([
    { state: 'a', many: 4 },
    { state: 'b', many: null },
  ])
  expect(released.suppressions).toMatchObject([{ row: 1, column: 'many', rule: 'minimum-entities' }])
  expect(await verifyReceipt(released.receipt, { trust })).toMatchObject({
    predicate: released.release,
    index: 1,
  })
  const names = readdirSync(results).filter(name => name !== 'temporary')
  expect(names.sort()).toEqual(['arrow', 'salt'].map(type => `${released.release.resultCommitment}.${type}`))
  for (const name of names) expect(statSync(join(results, name)).mode & 0o777).toBe(0o600)
  expect(tableFromIPC(readFileSync(join(results, names[0]!))).toString()).toBe(released.table.toString())
})

test('it can be had again, only as it was released, and not once it is erased', async () => {
  const { story, results, options } = await setting()
  const result = await checked()
  const {
    release: entry,
    bytes,
    suppressions,
  } = await story.ledger.exclusive(writer => release(result, { ...options, writer }))
  const again = await readReleased(results, entry)
  expect(Buffer.from(again.bytes).equals(bytes)).toBe(true)
  expect(again.suppressions).toEqual(suppressions)
  const path = join(results, `${entry.resultCommitment}.arrow`)
  writeFileSync(
    path,
    Uint8Array.from(bytes, (byte, i) => (i === 100 ? byte ^ 1 : byte)),
  )
  await expect(readReleased(results, entry)).toThrowWithCode('PROOF_INVALID', 'commitment')
  await eraseReleased(results, entry)
  await expect(readReleased(results, entry)).toThrowWithCode('RESULT_ERASED')
  await eraseReleased(results, entry)
})

test('nothing but a checked result is opened', async () => {
  const { story, results, options } = await setting()
  for (const fake of [{}, { ...(await checked()) }, JSON.parse(JSON.stringify(await checked())), null]) {
    const forged = fake as unknown as CheckedResult
    const opening = story.ledger.exclusive(writer => release(forged, { ...options, writer }))
    await expect(opening).toThrowWithCode('BRAND_INVALID')
  }
  expect(await story.ledger.size()).toBe(1)
  await expect(async () => readdirSync(results)).rejects.toThrow()
})

test('nothing is handed out, and nothing stays, when the ledger does not take it', async () => {
  const { story, results, options } = await setting()
  const result = await checked()
  const order: string[] = []
  const files: Files = {
    ...nodeFiles,
    write: async (path, bytes, mode) => {
      order.push('write')
      await nodeFiles.write(path, bytes, mode)
    },
  }
  await expect(
    story.ledger.exclusive(async writer => {
      const record: LedgerWriter['record'] = async (predicate, signer) => {
        order.push('record')
        story.wait(-10_000)
        return writer.record(predicate, signer)
      }
      return release(result, {
        ...options,
        files,
        writer: { record, receipt: index => writer.receipt(index) },
      })
    }),
  ).toThrowWithCode('CLOCK_BEHIND')
  story.wait(10_000)
  expect(order).toEqual(['write', 'write', 'record'])
  expect(readdirSync(results).filter(name => name !== 'temporary')).toEqual([])
  expect(await story.ledger.size()).toBe(1)
})

test('a full disk: the ledger has nothing of it', async () => {
  const { story, options } = await setting()
  const result = await checked()
  const files: Files = {
    ...nodeFiles,
    write: async () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    },
  }
  const full = story.ledger.exclusive(writer => release(result, { ...options, files, writer }))
  await expect(full).toThrowWithCode('DISK_FULL')
  expect(await story.ledger.size()).toBe(1)
})

test('where nobody knows whether the entry is there, the result stays until the ledger is read again', async () => {
  const { story, results, options } = await setting()
  const result = await checked()
  const kept: Release[] = []
  await story.ledger.exclusive(async writer => {
    kept.push((await release(result, { ...options, writer })).release)
    const record: LedgerWriter['record'] = async () => {
      throw new SluiceError('ZONE_DAMAGED', 'the disk failed')
    }
    const failing = release(result, {
      ...options,
      writer: { record, receipt: index => writer.receipt(index) },
    })
    await expect(failing).toThrowWithCode('ZONE_DAMAGED')
  })
  expect(readdirSync(results).filter(name => name.endsWith('.arrow'))).toHaveLength(2)
  await sweepResults(results, kept)
  expect(readdirSync(results).filter(name => name.endsWith('.arrow'))).toEqual([
    `${kept[0]!.resultCommitment}.arrow`,
  ])
  await readReleased(results, kept[0]!)
})
