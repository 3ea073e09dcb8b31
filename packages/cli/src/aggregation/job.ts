import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { AggregationDraft, DeclaredRanges, Groups, Party } from '@sluice/core/he'
import type { Context } from '../context.js'
import { countOf, inline, parseYaml, queryFrom, record, scalarOf, textOf, wrong } from '../job.js'

/** What `sluice he keygen` needs. */
export interface AggregationJob {
  readonly sql: string
  readonly purpose: string
  readonly consumer: string
  readonly rest: Omit<AggregationDraft, 'reviewed' | 'groups' | 'keyHolder'>
  /** the public list, once the plan has said the order of its keys */
  groups(keys: readonly string[]): Groups
}

const JOB_BYTES = 16 * 2 ** 20
const NAMES = [
  'sql',
  'file',
  'purpose',
  'consumer',
  'groups',
  'columns',
  'rowsPerGroup',
  'contributors',
  'minimumContributors',
  'adder',
  'auditor',
]

/**
 * Reads the job of an aggregation in YAML or JSON. Parties are public keys, as `sluice key new` prints them:
 *
 * ```yaml
 * file: totals.sql
 * purpose: statistics
 * consumer: finance-bureau
 * groups:
 *   programme: [housing, farming, school]     # or age: {from: 0, count: 121}
 * columns:
 *   amount: {min: 0, max: 500000}
 * rowsPerGroup: 10000                         # most rows of one contributor in one group
 * contributors:
 *   - district-01+5b8a1d3f+AZ…
 * minimumContributors: 10
 * adder: operator+…
 * auditor: auditor+…                          # or none: then the adder is trusted for integrity
 * ```
 *
 * @throws SluiceError FILE_MISSING, FILE_FORMAT with the key, KEY_INVALID
 */
export async function readAggregationJob(context: Context, file: string): Promise<AggregationJob> {
  const job = record(await parseYaml(await context.source(file, JOB_BYTES), file), file, NAMES)
  if ((job['sql'] === undefined) === (job['file'] === undefined)) {
    throw wrong(
      file,
      'a job has either "sql" or "file"',
      'Write the query under sql:, or name its file under file:.',
    )
  }
  const { parseVerifierKey } = await import('@sluice/ledger/keys')
  const partyOf = (value: unknown, key: string): Party => {
    const { name, text } = parseVerifierKey(textOf(value, file, key))
    return { name, key: text }
  }
  const { contributors, auditor } = job
  if (!Array.isArray(contributors))
    throw wrong(file, '"contributors" has to be a list', 'A public key a line.')
  return {
    sql:
      job['file'] === undefined
        ? inline(context, textOf(job['sql'], file, 'sql'))
        : await queryFrom(context, join(dirname(file), textOf(job['file'], file, 'file'))),
    purpose: textOf(job['purpose'], file, 'purpose'),
    consumer: textOf(job['consumer'], file, 'consumer'),
    groups: keys => groupsOf(record(job['groups'] ?? {}, file), keys, file),
    rest: {
      columns: rangesOf(record(job['columns'] ?? {}, file), file),
      rowsPerGroup: countOf(job['rowsPerGroup'], file, 'rowsPerGroup'),
      contributors: contributors.map((value, index) => partyOf(value, `contributors.${index + 1}`)),
      minimumContributors: countOf(job['minimumContributors'], file, 'minimumContributors'),
      adder: partyOf(job['adder'], 'adder'),
      auditor: auditor === 'none' ? null : partyOf(auditor, 'auditor'),
    },
  }
}

function rangesOf(columns: Record<string, unknown>, file: string): DeclaredRanges {
  return Object.fromEntries(
    Object.entries(columns).map(([name, declared]) => {
      const { min, max } = record(declared, file, ['min', 'max'])
      const [minimum, maximum] = [scalarOf(min, file, `${name}.min`), scalarOf(max, file, `${name}.max`)]
      return [name, { minimum, maximum }]
    }),
  )
}

const MOST_GROUPS = 2 ** 20

/** Every combination of the keys' values, the last key's changing fastest. */
function groupsOf(declared: Record<string, unknown>, keys: readonly string[], file: string): Groups {
  const names = Object.keys(declared)
  if (names.length !== keys.length || keys.some(key => !names.includes(key))) {
    throw wrong(file, '"groups" does not name the keys of GROUP BY', `Name: ${keys.join(', ') || 'none'}.`)
  }
  const [only] = keys
  const range = only === undefined ? undefined : declared[only]
  if (keys.length === 1 && typeof range === 'object' && !Array.isArray(range)) {
    const { from, count } = record(range, file, ['from', 'count'])
    if (!Number.isSafeInteger(from)) throw wrong(file, '"from" has to be a whole number', 'Write from: 0.')
    return { kind: 'range', first: from as number, count: countOf(count, file, 'count') }
  }
  const lists = keys.map(key => valuesOf(declared[key], key, file))
  if (lists.reduce((product, list) => product * list.length, 1) > MOST_GROUPS) {
    throw new SluiceError('PARAMETER_INVALID', 'there are too many groups', {
      rule: 'he.groups',
      remedy: `At most ${MOST_GROUPS} combinations, or a range of integers.`,
    })
  }
  const product = lists.reduce<(string | boolean)[][]>(
    (rows, list) => rows.flatMap(row => list.map(value => [...row, value])),
    [[]],
  )
  return { kind: 'list', keys: product }
}

function valuesOf(value: unknown, key: string, file: string): (string | boolean)[] {
  if (!Array.isArray(value)) throw wrong(file, `the groups of "${key}" are no list`, `Write ${key}: [A, B].`)
  return value.map(item => (typeof item === 'boolean' ? item : scalarOf(item, file, `groups.${key}`)))
}
