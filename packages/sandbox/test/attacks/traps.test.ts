import { readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import { findPrograms } from '@sluice/sandbox/duckdb'
import { ENGINE_VERSION, Gate } from '@sluice/sandbox/sql'
import { describe, expect, it } from 'vitest'
import { signed } from '../zone/fixture.js'
import { attackZone, shown } from './zone.js'

/**
 * What is known to go wrong with DuckDB as a sandbox and with a threshold as a guard, a case or more for each, through the
 * whole SDK: asked, signed by everybody who is asked to, run. `submit` and `run` say how far it came.
 */
const attack = attackZone()

type Case = readonly [trap: string, sql: string, rule: string]

/** Refused when it is submitted, by this rule. */
function refused(cases: readonly Case[]): void {
  it.each(cases)('%s: %s', async (_, sql, rule) => {
    const outcome = await attack.ask(sql)
    expect(outcome).toMatchObject({ stopped: 'submit', rule })
  })
}

/** Signed, run, and this is what is released. */
function released(cases: readonly (readonly [trap: string, sql: string, rows: readonly string[]])[]): void {
  it.each(cases)('%s: %s', async (_, sql, rows) => {
    const outcome = await attack.ask(sql)
    expect(outcome.stopped === null ? shown(outcome.released) : outcome).toEqual(rows)
  })
}

describe('run(a; b) runs both, PRAGMA f(x) evaluates, a NUL ends the text for the engine alone', () => {
  refused([
    ['two statements', 'SELECT count(*) FROM people; DROP TABLE people', 'sql.select'],
    ['a statement after a comment', 'SELECT count(*) FROM people;/**/SELECT 1', 'sql.one-statement'],
    ['a pragma that computes', "PRAGMA table_info(concat('peo', 'ple'))", 'sql.select'],
    ['a NUL', 'SELECT count(*) FROM people\0 WHERE age = 77', 'sql.text'],
    ['a control character', 'SELECT count(*)\u0008 FROM people', 'sql.text'],
    ['a bidirectional character', 'SELECT count(*) FROM people -- \u202e', 'sql.text'],
  ])
})

describe('json_serialize_sql takes it for a SELECT', () => {
  refused([
    ['SUMMARIZE', 'SUMMARIZE people', 'sql.show'],
    ['DESCRIBE', 'DESCRIBE people', 'sql.show'],
    ['SHOW', 'SHOW ALL TABLES', 'sql.show'],
    ['query', "SELECT n FROM query('SELECT 1 AS n')", 'sql.table-function'],
    ['query_table', "SELECT age FROM query_table('people')", 'sql.table-function'],
    ['json_execute_serialized_sql', "SELECT n FROM json_execute_serialized_sql('{}')", 'sql.table-function'],
    ['pragma functions', 'SELECT name FROM pragma_table_info(1)', 'sql.table-function'],
    ['stats', 'SELECT count(*), stats(salary) FROM people', 'sql.function'],
    ['enum_range', 'SELECT count(*), enum_range(NULL::VARCHAR) FROM people', 'sql.function'],
    ['a replacement scan of CSV', "SELECT count(*) FROM 'people.csv'", 'sql.table'],
    ['a replacement scan of Parquet', "SELECT count(*) FROM '/tmp/x.parquet'", 'sql.table'],
    ['enable_profiling', "SELECT x FROM enable_profiling('json')", 'sql.table-function'],
    ['enable_logging', 'SELECT x FROM enable_logging()', 'sql.table-function'],
    ['checkpoint', 'SELECT x FROM checkpoint()', 'sql.table-function'],
    ['no statement', '-- only a comment', 'sql.one-statement'],
    ['current_user', 'SELECT count(*) FROM people WHERE town = current_user', 'sql.environment'],
    ['current_date', 'SELECT count(*) FROM people WHERE hired < current_date', 'sql.environment'],
    ['a number that JSON cannot hold', 'SELECT sum(salary * 1e999) FROM people', 'sql.number'],
  ])

  it('locations that JSON.parse rounds: a refusal without one still points into the query', async () => {
    const gate = await Gate.start({ mode: 'process' })
    const catalogue = [{ name: 't', columns: [{ name: 'a', type: { kind: 'text' } as const }] }]
    const error = await gate.compile({ sql: 'SHOW TABLES', catalogue }).catch(reason => reason)
    await gate.close()
    expect(error.position).toEqual({ line: 1, column: 1 })
  })
})

describe('column escapes', () => {
  refused([
    ['a whole row', 'SELECT people FROM people', 'sql.whole-row'],
    ['a whole row as JSON', 'SELECT to_json(people) FROM people', 'sql.function'],
    ['COLUMNS', "SELECT sum(COLUMNS('sal.*')) FROM people", 'sql.star'],
    ['* LIKE', "SELECT * LIKE 's%' FROM people", 'sql.star'],
    ['FROM first: a column by it', 'FROM people SELECT salary', 'release.rows'],
    ['a position', 'SELECT #6 FROM people', 'sql.position'],
    ['NATURAL JOIN', 'SELECT count(*) FROM people NATURAL JOIN ages', 'sql.natural-join'],
    ['rowid', 'SELECT count(*) FROM people WHERE rowid = 40', 'sql.rowid'],
    ['PIVOT', 'PIVOT people ON town USING sum(salary)', 'sql.select'],
    ['PIVOT in FROM', 'SELECT x FROM (PIVOT people ON town USING sum(salary)) p', 'sql.select'],
    [
      'USING counts as a use of the column',
      'SELECT count(*) FROM people a JOIN people b USING (salary)',
      'use.join',
    ],
    ['a lateral alias', 'SELECT salary AS x, count(x) AS n FROM people', 'sql.lateral-alias'],
    [
      'GROUP BY ALL groups by what is selected',
      'SELECT salary, count(*) AS n FROM people GROUP BY ALL',
      'use.group',
    ],
    ['an ordinal groups by its column', 'SELECT salary, count(*) AS n FROM people GROUP BY 1', 'use.group'],
  ])
})

describe('names can be shadowed although the configuration is locked', () => {
  refused([
    ['a temporary view', 'CREATE TEMP VIEW people AS SELECT 1', 'sql.select'],
    ['a temporary macro', 'CREATE TEMP MACRO sum(x) AS x', 'sql.select'],
    ['ATTACH', "ATTACH ':memory:' AS zone", 'sql.select'],
    ['search_path', "SET search_path = 'other'", 'sql.select'],
    ['another schema', 'SELECT count(*) FROM temp.people', 'sql.schema'],
    [
      'a function of another schema',
      'SELECT other.lower(town), count(*) FROM people GROUP BY 1',
      'sql.function',
    ],
  ])

  it('emitted names are whole, and no two runs share an instance', async () => {
    const gate = await Gate.start({ mode: 'process' })
    const catalogue = [{ name: 'sum', columns: [{ name: 'lower', type: { kind: 'text' } as const }] }]
    const { emitted } = await gate.compile({
      sql: 'SELECT lower(lower) AS l, count(*) AS n FROM sum GROUP BY 1',
      catalogue,
    })
    await gate.close()
    expect(emitted).toContain('"zone"."main"."sum"')
    expect(emitted.match(/[\w.]*\b(lower|count)\(/g)).toEqual(
      expect.arrayContaining(['system.main.lower(', 'system.main.count(']),
    )
    expect(emitted.replaceAll(/system\.main\.\w+\(/g, '')).not.toMatch(/\w\(/)
  })
})

describe('errors carry values', () => {
  it.each([
    ['Could not convert', 'SELECT count(*) AS n FROM people WHERE CAST(town AS INTEGER) = 1', /north|south/],
    ['in a group key', 'SELECT CAST(illness AS DATE) AS d, count(*) AS n FROM people GROUP BY 1', /rare|flu/],
    ['an overflow', 'SELECT sum(CAST(salary * 1000 AS SMALLINT)) AS s FROM people', /5917|5917000/],
  ])('%s: the run ends with a code, and the value is nowhere', async (_, sql, value) => {
    const { id } = await attack.zone.requests.submit({ sql, purpose: 'credit-risk' }, attack.keys.consumer)
    await attack.zone.approvals.import(await signed(attack.zone, id, attack.keys.provider))
    const error = await attack.zone.run(id, attack.keys.operator).catch(reason => reason)
    expect(isSluiceError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'ENGINE_FAILED', rule: 'engine.conversion' })
    expect(`${JSON.stringify(error)} ${error.stack} ${String(error.cause)}`).not.toMatch(value)
  })

  refused([
    ['error(x)', 'SELECT count(*) FROM people WHERE error(town)', 'sql.function'],
    ['the engine’s “Did you mean”', 'SELECT sum(salaryy) FROM people', 'sql.name'],
  ])
})

const CROWD_POLICY = `version: 1
owner: bureau
grade: 1
entity: row
purposes: [credit-risk]
consumers: [bank]
columns:
  town: { role: attribute, uses: [join, group] }
`

describe('there is no statement timeout, and memory_limit is no ceiling', () => {
  it('a join that would not end is killed, and leaves nothing', async () => {
    const crowd = `town\n${'north\n'.repeat(5_000)}`
    await attack.add('crowd', crowd, CROWD_POLICY)
    const joins = Array.from({ length: 3 }, (_, at) => `JOIN crowd c${at} ON a.town = c${at}.town`)
    const sql = `SELECT count(*) AS n FROM crowd a ${joins.join(' ')}`
    const { id } = await attack.zone.requests.submit({ sql, purpose: 'credit-risk' }, attack.keys.consumer)
    await attack.zone.approvals.import(await signed(attack.zone, id, attack.keys.provider))
    const started = performance.now()
    const run = attack.zone.run(id, attack.keys.operator, { timeout: 1_000 })
    await expect(run).toThrowWithCode('TIME_EXCEEDED', 'wall-clock')
    expect(performance.now() - started).toBeLessThan(8_000)
  })

  it.runIf(findPrograms().prlimit !== null)(
    'the data segment is limited from outside, the address space is not',
    async () => {
      const limits = new Set<string>()
      for (const pid of await readdir('/proc')) {
        if (!/^\d+$/.test(pid)) continue
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
          const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
          if (Number(parent) !== process.pid || !/(parser-child|child\/main)\.js/.test(words)) continue
          const text = readFileSync(`/proc/${pid}/limits`, 'latin1')
          expect(/^Max data size\s+(\S+)/m.exec(text)?.[1]).toMatch(/^\d+$/)
          limits.add(/^Max address space\s+(\S+)/m.exec(text)?.[1] ?? '')
        } catch {
          // ended since it was listed
        }
      }
      expect([...limits]).toEqual(['unlimited'])
    },
  )
})

describe('what the engine says of a query on empty tables', () => {
  released([
    [
      'a condition that is never true collapses to EMPTY_RESULT, and means its plan all the same',
      'SELECT count(*) AS n, sum(salary) AS s FROM people WHERE age < 0 AND age > 0',
      ['✗minimum-entities ✗minimum-entities'],
    ],
    [
      'a sum beyond 64 bits is exact',
      'SELECT sum(salary * 1000000000000000) AS s FROM people',
      ['215777000000000000000'],
    ],
  ])
})

it('one sum of doubles, run again and again, is one result within the stated bound', async () => {
  const rows = Array.from({ length: 60_000 }, (_, at) => `e${at % 500},${((at * 7919) % 10_007) / 7}`)
  await attack.add(
    'doubles',
    `who,x\n${rows.join('\n')}\n`,
    `version: 1
owner: bureau
grade: 2
entity: { column: who }
purposes: [credit-risk]
consumers: [bank]
columns:
  who: { role: identifier, uses: [] }
  x: { role: measure, uses: [aggregate] }
`,
  )
  const sums: number[] = []
  for (let time = 0; time < 3; time++) {
    const outcome = await attack.ask('SELECT sum(x) AS s FROM doubles')
    if (outcome.stopped === null) sums.push(Number(outcome.released.table.getChild('s')!.get(0)))
  }
  expect(sums.length).toBe(3)
  for (const sum of sums) expect(Math.abs(sum / sums[0]! - 1)).toBeLessThan(1e-12)
})

describe('from 2.0 on a SELECT can write', () => {
  refused(
    [
      'INSERT INTO people VALUES (1)',
      'UPDATE people SET age = 1',
      'DELETE FROM people',
      'MERGE INTO people USING ages ON true',
      "COPY people TO 'x'",
    ].map(statement => [
      statement.split(' ')[0]!,
      `WITH x AS (${statement} RETURNING age) SELECT count(*) FROM x`,
      'sql.syntax',
    ]),
  )

  it('so the version is pinned, and another one is refused at the gate', () => {
    const manifest = createRequire(import.meta.url).resolve('@sluice/sandbox/package.json')
    const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8'))
    expect(`v${dependencies['@duckdb/node-api']}`).toMatch(new RegExp(`^${ENGINE_VERSION}-r\\.\\d+$`))
  })
})

it('encrypted Parquet needs an extension that is not there: it is refused when it is registered', async () => {
  const from = join(tmpdir(), `sluice-encrypted-${process.pid}.parquet`)
  await writeFile(from, Buffer.concat([Buffer.from('PARE'), Buffer.alloc(64), Buffer.from('PARE')]))
  const added = attack.zone.datasets.add({ name: 'secret', from, policy: 'version: 1' }, attack.keys.provider)
  await expect(added).rejects.toMatchObject({ code: expect.stringMatching(/^(FILE_FORMAT|POLICY_INVALID)$/) })
})

describe('inference through a threshold', () => {
  refused([
    [
      'the value of one by CASE',
      "SELECT sum(CASE WHEN person = 'p40' THEN salary ELSE 0 END) FROM people",
      'use.filter',
    ],
    [
      'the value of one by FILTER',
      "SELECT sum(salary) FILTER (WHERE person = 'p40') FROM people",
      'use.filter',
    ],
    [
      'several people in the digits of one sum',
      'SELECT sum(CASE WHEN age = 20 THEN salary WHEN age = 21 THEN salary * 100000 ELSE salary * 10000000000 END) FROM people',
      'evidence.conditional',
    ],
    ['the same by powers', 'SELECT sum(salary * age * age * age * age) FROM people', 'evidence.degree'],
    ['count(DISTINCT id || r)', 'SELECT count(DISTINCT person || town) FROM people', 'use.aggregate'],
    ['arg_max', 'SELECT arg_max(age, salary) FROM people', 'sql.aggregate'],
    ['quantile(x, 1.0)', 'SELECT quantile(salary, 1.0) FROM people', 'sql.aggregate'],
    ['histogram', 'SELECT histogram(age) FROM people', 'sql.aggregate'],
    ['list', 'SELECT list(age) FROM people', 'sql.aggregate'],
    ['bitstring_agg', 'SELECT bitstring_agg(age) FROM people', 'sql.aggregate'],
    [
      'a window with QUALIFY',
      'SELECT age FROM people QUALIFY rank() OVER (ORDER BY salary) = 1',
      'sql.window',
    ],
    [
      'HAVING max(x) = 29',
      'SELECT town, count(*) FROM people GROUP BY town HAVING max(age) = 29',
      'use.extreme',
    ],
    ['(g, r) IN', "SELECT count(*) FROM people WHERE (town, age) IN (('south', 77))", 'sql.function'],
    ['a semi-join with a constant', 'SELECT count(*) FROM people SEMI JOIN ages ON age = 77', 'sql.join'],
    [
      'the same in a subquery',
      'SELECT count(*) FROM people WHERE age IN (SELECT years FROM ages)',
      'sql.subquery',
    ],
    ['CUBE', 'SELECT town, count(*) FROM people GROUP BY CUBE (town)', 'sql.grouping-sets'],
    ['ROLLUP', 'SELECT town, count(*) FROM people GROUP BY ROLLUP (town)', 'sql.grouping-sets'],
    [
      'many comparisons of one query as bisection',
      `SELECT ${Array.from({ length: 30 }, (_, at) => `count(*) FILTER (WHERE age > ${at}) AS c${at}`)} FROM people`,
      'evidence.overlaps',
    ],
    ['bisection by rounding', 'SELECT sum(salary // 5900), count(*) FROM people', 'evidence.rounded'],
    ['a name of a column as a channel', 'SELECT count(*) AS "\u200b" FROM people', 'sql.text'],
  ])

  released([
    [
      'a fan-out join does not inflate who is counted',
      'SELECT count(*) AS n FROM people a JOIN people b ON a.town = b.town WHERE a.age = 77',
      ['✗minimum-entities'],
    ],
    [
      'a semi-join by a public table of one',
      'SELECT count(*) AS n FROM people JOIN only_old ON age = years',
      ['✗minimum-entities'],
    ],
    [
      'a tracker’s negation',
      'SELECT count(*) AS a, count(*) FILTER (WHERE NOT (age = 77)) AS b FROM people',
      ['41 ✗complement'],
    ],
    [
      'a total beside its parts, as CUBE would give it (12 − 10)',
      'SELECT count(*) AS a, count(*) FILTER (WHERE age < 40) AS b, count(*) FILTER (WHERE age BETWEEN 40 AND 76) AS c FROM people',
      ['41 30 ✗complement'],
    ],
    [
      'the number of rows as a channel: groups that fail are left out, and not how many',
      'SELECT retired, age, count(*) AS n FROM people WHERE age >= 40 GROUP BY retired, age',
      ['left out: minimum-entities'],
    ],
    [
      'the order as a channel: by cells that passed alone',
      'SELECT town, sum(bonus) FILTER (WHERE age = 77) AS b FROM people GROUP BY town ORDER BY b DESC, town',
      ['north ✗minimum-entities', 'south ✗minimum-entities'],
    ],
  ])

  it('(n, k) and p %: contributions are summed for each entity within the cell', async () => {
    const rows = [
      ...Array.from({ length: 20 }, (_, at) => `s${at},even,10`),
      ...Array.from({ length: 20 }, (_, at) => `s${at},many,10`),
      // one shop's hundred small bills are one contribution
      ...Array.from({ length: 100 }, () => 's0,many,10'),
      ...Array.from({ length: 20 }, (_, at) => `s${at},two,${at < 2 ? 1000 : 1}`),
    ]
    const policy = (disclosure: string) => `version: 1
owner: bureau
grade: 2
entity: { column: shop }
disclosure: ${disclosure}
purposes: [credit-risk]
consumers: [bank]
columns:
  shop: { role: identifier, uses: [] }
  kind: { role: attribute, uses: [group], values: public }
  bill: { role: measure, uses: [aggregate] }
`
    const file = `shop,kind,bill\n${rows.join('\n')}\n`
    await attack.add(
      'bills',
      file,
      policy('{ minimumEntities: 5, dominance: { n: 1, percent: 70 }, pPercent: none }'),
    )
    await attack.add(
      'strict',
      file,
      policy('{ minimumEntities: 5, dominance: { n: 1, percent: 90 }, pPercent: 10 }'),
    )
    const ask = async (name: string) => {
      const outcome = await attack.ask(`SELECT kind, sum(bill) AS s FROM ${name} GROUP BY kind ORDER BY kind`)
      return outcome.stopped === null ? shown(outcome.released) : outcome
    }
    expect(await ask('bills')).toEqual(['even 200', 'many ✗dominance', 'two 2018'])
    // 2018 − 1000 − 1000 < 10 % of 1000
    expect(await ask('strict')).toEqual(['even 200', 'many 1200', 'two ✗p-percent'])
  })

  it('noise that could be averaged away: there is none, a result is the same each time', async () => {
    const once = await attack.ask('SELECT town, sum(salary) AS s FROM people GROUP BY town ORDER BY town')
    const again = await attack.ask('SELECT town, sum(salary) AS s FROM people GROUP BY town ORDER BY town')
    if (once.stopped !== null || again.stopped !== null) throw new Error('this should run')
    expect(shown(again.released)).toEqual(shown(once.released))
  })

  it('time as a channel: what the record tells of a run is rounded up to the policy’s step', async () => {
    const outcome = await attack.ask('SELECT count(*) AS n FROM people')
    if (outcome.stopped !== null) throw new Error('this should run')
    expect(outcome.released.milliseconds % 100).toBe(0)
    expect(outcome.released.milliseconds).toBeGreaterThan(0)
  })

  /** Approvers have to see these: a release is checked on its own, as the security model says. */
  it('not held, and said: two queries one person apart, two versions, two consumers who share', async () => {
    const all = await attack.ask('SELECT sum(salary) AS s FROM people WHERE age >= 40')
    const others = await attack.ask('SELECT sum(salary) AS s FROM people WHERE age >= 40 AND age < 77')
    if (all.stopped !== null || others.stopped !== null) throw new Error('this should run')
    const difference = Number(shown(all.released)[0]) - Number(shown(others.released)[0])
    expect(difference).toBe(5_917)
    const page = readFileSync(
      new URL('../../../../docs/security-model.md', import.meta.url),
      'utf8',
    ).replaceAll('\n', ' ')
    expect(page).toMatch(
      /\*\*Differencing\.\*\*.*differ by one person, the same +query on two versions.*consumers who share/,
    )
  })
})
