import { checkDisclosure, sealRawResult } from '@sluice/core/disclosure'
import { aggregationBytes, HeExecutor, layoutOf, parseAggregation } from '@sluice/core/he'
import { parsePolicy } from '@sluice/core/policy'
import { tableFromArrays } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { reviewed } from '../plan/approved.ts'
import { dataset } from '../plan/plans.ts'
import {
  approvedFor,
  auditOf,
  begin,
  contribution,
  DISTRICTS,
  inputs,
  opened,
  rowsOf,
  sumOf,
  totals,
} from './fixture.ts'

const policyText = (grade: number, contributors: string) => `version: 1
owner: bureau
grade: ${grade}
entity: row
disclosure: {minimumEntities: 10, step: {rows: 1}${contributors}}
approvals: {reviewer: ${grade > 2}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  programme_name: {role: attribute, uses: [group, filter], values: public}
  amount: {role: measure, uses: [aggregate]}
`
const policy = (grade: number, contributors: string) =>
  dataset('subsidies', ['programme_name', 'amount'], policyText(grade, contributors))
const ACCEPTED = ', contributors: {minimum: 5, inPlaceOfDominance: true}'
const columns = { amount: { minimum: '0', maximum: '1000' } }

/** One district pays nearly everything; each has four grants. */
const cells = (district: number) => [[[district === 0 ? 900 : 1, 4, 4].map(Number), [4, 4, 4], [4, 4, 4]]]
const given = (district: number) => cells(district).map(run => run.map(values => Float64Array.from(values)))

async function roundOf(count: number, more = {}) {
  const round = await begin(totals(), { columns, minimumContributors: 5, ...more }, [policy(2, ACCEPTED)])
  const contributions: Uint8Array[] = []
  for (const [index, district] of DISTRICTS.slice(0, count).entries()) {
    contributions.push(await contribution(round, district, given(index)))
  }
  return { round, contributions }
}

describe('a policy’s contributors', () => {
  it('let measures of grade 2 open where the owner accepts their number in place of dominance', async () => {
    const { round, contributions } = await roundOf(5)
    const sum = await sumOf(round, contributions)
    const audited = await auditOf(round, sum, contributions)
    const rows = rowsOf(await opened(round, inputs(round, sum, audited)))
    expect(rows.map(row => [String(row['total']), String(row['grants'])])).toEqual([
      ['904', '20'],
      ['20', '20'],
      ['20', '20'],
    ])
  })

  it('do not let measures open where the owner has not said so', () => {
    for (const silent of ['', ', contributors: {minimum: 5}']) {
      const plan = reviewed(totals(), [policy(2, silent)])
      expect(failure(() => layoutOf(plan))).toMatchObject({ rule: 'he.dominance' })
    }
    expect(() => layoutOf(reviewed(totals(), [policy(2, ACCEPTED)]))).not.toThrow()
  })

  it('are at least as many as the grade asks for', () => {
    const rule = (grade: number, minimum: number, inPlaceOfDominance: boolean) => {
      const text = policyText(
        grade,
        `, contributors: {minimum: ${minimum}, inPlaceOfDominance: ${inPlaceOfDominance}}`,
      )
      try {
        parsePolicy(text)
        return 'accepted'
      } catch (error) {
        return (error as { rule?: string }).rule
      }
    }
    expect(rule(2, 4, true)).toBe('grade.contributors')
    expect(rule(2, 4, false)).toBe('accepted')
    expect(rule(2, 5, true)).toBe('accepted')
    expect(rule(3, 9, true)).toBe('grade.contributors')
    expect(rule(3, 10, true)).toBe('accepted')
  })

  it('bind the aggregation that is made', async () => {
    await expect(begin(totals(), { columns, minimumContributors: 4 }, [policy(2, ACCEPTED)])).toThrowWithCode(
      'PARAMETER_INVALID',
      'he.minimum-contributors',
    )
  })

  it('bind an opening, whatever the aggregation says', async () => {
    const { round: made } = await roundOf(0)
    const lower = parseAggregation(aggregationBytes({ ...made.aggregation, minimumContributors: 3 }))
    const round = { ...made, aggregation: lower }
    const contributions: Uint8Array[] = []
    for (const [index, district] of DISTRICTS.slice(0, 4).entries()) {
      contributions.push(await contribution(round, district, given(index)))
    }
    const sum = await sumOf(round, contributions)
    let claimed = false
    const claim = async () => {
      claimed = true
    }
    const all = { ...inputs(round, sum, await auditOf(round, sum, contributions)), claim }
    await expect(opened(round, all)).toThrowWithCode('DISCLOSURE_REFUSED', 'contributors.minimum')
    expect(claimed).toBe(false)
  })

  it('mean nothing to an engine that saw the rows', async () => {
    const { round, contributions } = await roundOf(5)
    const sum = await sumOf(round, contributions)
    const given = inputs(round, sum, await auditOf(round, sum, contributions))
    const approved = approvedFor(round)
    await checkDisclosure(await new HeExecutor({ threads: 0 }).execute(approved, given))
    const { aggregate } = layoutOf(round.plan)
    const id = aggregate.aggregates[0]!.id
    const evidence = ([{ kind: 'group' }, { kind: 'cell', id }] as const).map(part => ({
      source: 0,
      part,
      entities: Float64Array.of(20),
      exact: Uint8Array.of(1),
      contributions: [],
    }))
    const table = tableFromArrays({
      programme: ['housing'],
      total: BigInt64Array.of(904n),
      grants: BigInt64Array.of(20n),
    })
    const contents = {
      approved,
      table,
      keep: null,
      keepDependsOn: [],
      rank: null,
      rankDependsOn: [],
      keyRank: Uint32Array.of(0),
      limit: null,
      evidence,
      isolation: 'process',
      milliseconds: 1,
    } as const
    await expect(checkDisclosure(sealRawResult(contents))).toThrowWithCode(
      'EVIDENCE_UNDEFINED',
      'evidence.missing',
    )
    // and its evidence suffices where rows were not seen, by enough organizations only
    await checkDisclosure(sealRawResult({ ...contents, contributors: 5 }))
    await expect(checkDisclosure(sealRawResult({ ...contents, contributors: 4 }))).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'contributors.minimum',
    )
  })
})
