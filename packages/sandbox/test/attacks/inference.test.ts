import { describe, expect, it } from 'vitest'
import { attackZone, shown } from './zone.js'

/**
 * "Inference through a threshold": a consumer whose every request is signed, if the gate and the review let it through,
 * and who wants one person's value. Each line is an attack, and the rule that stops it.
 */
const attack = attackZone()

/** Stopped before anybody is asked to sign. */
const REFUSED: Readonly<Record<string, readonly (readonly [sql: string, rule: string])[]>> = {
  'naming somebody': [
    ["SELECT sum(salary) FROM people WHERE person = 'p40'", 'use.filter'],
    ["SELECT sum(CASE WHEN person = 'p40' THEN salary ELSE 0 END) FROM people", 'use.filter'],
    ["SELECT count(*) FROM people WHERE person LIKE 'p4%'", 'use.filter'],
    ["SELECT count(*) FROM people a JOIN people b ON a.person = 'p' || '40'", 'use.filter'],
    ['SELECT person, count(*) FROM people GROUP BY person', 'use.group'],
    ['SELECT lower(person) FROM people', 'release.rows'],
    ['SELECT count(DISTINCT person || town) FROM people', 'use.aggregate'],
    ['SELECT age, count(*) FROM people GROUP BY age ORDER BY max(person)', 'use.extreme'],
  ],
  'aggregates that name single values': [
    ['SELECT arg_max(salary, age) FROM people', 'sql.aggregate'],
    ['SELECT quantile_disc(salary, 1.0) FROM people', 'use.extreme'],
    ['SELECT quantile_disc(salary, 0.999999) FROM people', 'use.order'],
    ['SELECT max(salary, 41)[41] FROM people', 'use.order'],
    ['SELECT histogram(age) FROM people', 'sql.aggregate'],
    ['SELECT list(age) FROM people', 'sql.aggregate'],
    ['SELECT bitstring_agg(age) FROM people', 'sql.aggregate'],
    ['SELECT max(age) FROM people', 'use.extreme'],
    ['SELECT count(*) FROM people HAVING max(age) = 77', 'use.extreme'],
    ['SELECT count(*) FROM people GROUP BY CUBE (town, age)', 'sql.grouping-sets'],
    ['SELECT count(*) FROM people GROUP BY ROLLUP (town, age)', 'sql.grouping-sets'],
    ['SELECT row_number() OVER (ORDER BY age) FROM people', 'sql.window'],
    ['SELECT count(*) FROM people WHERE (town, age) IN ((1, 2))', 'sql.function'],
  ],
  'rounding, which compares with a threshold': [
    ['SELECT sum(salary // 1155) FROM people', 'evidence.rounded'],
    ['SELECT sum((salary + 94200) // 100000) FROM people', 'evidence.rounded'],
    ['SELECT sum(salary % 5800) a, sum(salary) b FROM people', 'evidence.rounded'],
    ['SELECT sum(floor(salary / 5900)) FROM people', 'evidence.rounded'],
    ['SELECT avg(round(salary, -3)) FROM people', 'evidence.rounded'],
    ['SELECT sum(CAST(ratio AS INTEGER)) FROM people', 'evidence.rounded'],
    ['SELECT sum(CAST(salary / 11600 AS DECIMAL(10, 0))) FROM people', 'evidence.rounded'],
    ['SELECT sum(CAST(salary AS FLOAT)) FROM people', 'evidence.rounded'],
    ['SELECT sum((ratio / 6 + 4503599627370496.0) - 4503599627370496.0 + 1) FROM people', 'evidence.rounded'],
    ['SELECT sum(y) FROM (SELECT salary // 1155 AS y FROM people) t', 'evidence.rounded'],
    ['SELECT count(DISTINCT bonus // 100) FROM people', 'evidence.distinct-count'],
    ['SELECT count(DISTINCT coalesce(bonus, 101)) FROM people', 'evidence.distinct-count'],
    ['SELECT count(DISTINCT age = 77) FROM people', 'evidence.conditional'],
  ],
  'arithmetic that chooses': [
    ['SELECT sum(least(salary, 5800)) a, sum(salary) b FROM people', 'evidence.conditional'],
    ['SELECT sum(abs(salary - 5800)) FROM people', 'evidence.conditional'],
    ['SELECT sum(sign(salary - 5900)) FROM people', 'evidence.conditional'],
    ['SELECT sum(CASE WHEN age = 77 THEN 1000000 ELSE 1 END) FROM people', 'evidence.conditional'],
    ['SELECT sum(CASE WHEN age = 77 THEN salary ELSE 0 END + salary) FROM people', 'evidence.conditional'],
    ['SELECT count(age > 70 OR NULL) FROM people', 'evidence.conditional'],
    ['SELECT sum(DISTINCT salary) FROM people', 'evidence.distinct-sum'],
    ['SELECT sum(salary + salary * retired) FROM people', 'evidence.product'],
    ['SELECT sum(salary * (age - 40) * (age - 41) * (age - 42)) FROM people', 'evidence.degree'],
    ['SELECT sum(salary * salary * salary) FROM people', 'evidence.degree'],
    ['SELECT sum(salary / (age - 78)) FROM people', 'evidence.degree'],
  ],
  'shapes without evidence': [
    [
      'SELECT sum(n) FROM (SELECT age, count(*) AS n FROM people GROUP BY age) t',
      'evidence.nested-aggregate',
    ],
    ['SELECT count(*) FROM (SELECT DISTINCT age FROM people) t', 'evidence.nested-aggregate'],
    ['SELECT count(*) FROM (SELECT age FROM people LIMIT 1) t', 'grade.output'],
    [
      'SELECT n FROM (SELECT age, count(*) n FROM people GROUP BY age LIMIT 3) t WHERE n > 1',
      'evidence.limit',
    ],
    [
      `SELECT ${Array.from({ length: 26 }, (_, at) => `count(*) FILTER (WHERE age < ${20 + at}) c${at}`)} FROM people`,
      'evidence.overlaps',
    ],
  ],
}

describe.each(Object.entries(REFUSED))('refused before it is signed: %s', (_, attacks) => {
  it.each(attacks)('%s', async (sql, rule) => {
    expect(await attack.ask(sql)).toMatchObject({ stopped: 'submit', rule })
  })
})

/** Signed and run; the rows as they were released. `✗rule` is a cell that was withheld. */
const WITHHELD: readonly (readonly [why: string, sql: string, released: readonly string[]])[] = [
  [
    'one person',
    'SELECT count(*), sum(salary) FROM people WHERE age = 77',
    ['✗minimum-entities ✗minimum-entities'],
  ],
  [
    'a FILTER for one',
    'SELECT sum(salary) FILTER (WHERE age = 77), sum(CASE WHEN age = 77 THEN salary ELSE 0 END) s FROM people',
    ['✗minimum-entities ✗minimum-entities'],
  ],
  [
    'all but one',
    'SELECT sum(salary) FILTER (WHERE age < 77), count(nullif(age, 77)) FROM people',
    ['✗complement ✗complement'],
  ],
  [
    'a tracker: two selections that differ by one',
    'SELECT count(*) FILTER (WHERE age >= 40) a, count(*) FILTER (WHERE age >= 40 AND age < 77) b FROM people',
    ['11 ✗complement'],
  ],
  [
    'the same of one sum, scaled and averaged',
    'SELECT sum(salary) FILTER (WHERE age >= 24) a, sum(3 * salary) FILTER (WHERE age >= 24 AND age < 77) b, avg(salary) FILTER (WHERE age >= 23 AND age < 77) c FROM people',
    ['89845 ✗complement ✗complement'],
  ],
  [
    'the same in arguments',
    'SELECT sum(CASE WHEN age >= 24 THEN 1 ELSE 0 END) a, count(CASE WHEN age >= 24 AND age < 77 THEN 1 END) b, sum(CAST(age BETWEEN 24 AND 76 AS INTEGER)) c FROM people',
    ['17 ✗complement ✗complement'],
  ],
  [
    'parts of a whole that leave one',
    "SELECT count(*) a, count(*) FILTER (WHERE town = 'north') b, count(*) FILTER (WHERE town = 'south' AND age < 77) c FROM people",
    ['41 30 ✗complement'],
  ],
  [
    'parts of a whole that leave nobody',
    "SELECT count(*) a, count(*) FILTER (WHERE town = 'north') b, count(*) FILTER (WHERE town = 'south') c FROM people",
    ['41 30 11'],
  ],
  [
    'distinct values of two selections',
    'SELECT count(DISTINCT age) FILTER (WHERE age >= 40) a, count(DISTINCT age) FILTER (WHERE age >= 40 AND age < 77) b FROM people',
    ['6 ✗complement'],
  ],
  [
    'values that one lacks',
    'SELECT count(*) a, count(bonus) b, sum(salary) c, sum(salary + 0 * bonus) d FROM people',
    ['41 ✗complement 215777 ✗complement'],
  ],
  [
    'a factor that is zero for one',
    'SELECT sum(salary * (1 - retired)) a, sum(salary) b FROM people',
    ['209860 ✗complement'],
  ],
  [
    'a factor that is zero for all but one',
    'SELECT sum(salary * retired) a, sum(retired) b FROM people',
    ['✗minimum-entities ✗dominance'],
  ],
  ['an offset that hides a share', 'SELECT sum(retired + 1000000) s FROM people', ['✗dominance']],
  [
    'a public table that lacks one',
    'SELECT sum(salary) a, sum(salary * weight) b, count(*) c, count(weight) d FROM people LEFT JOIN ages ON age = years',
    ['215777 ✗complement 41 ✗complement'],
  ],
  [
    'a public table that has only one',
    'SELECT sum(salary) FROM people JOIN only_old ON age = years',
    ['✗minimum-entities'],
  ],
  [
    'fan-out by a join with itself',
    'SELECT count(*) n, sum(a.salary) s FROM people a JOIN people b ON a.town = b.town WHERE a.age = 77',
    ['✗minimum-entities ✗minimum-entities'],
  ],
  [
    'the illness of the only one of an age',
    "SELECT illness, count(*) n FROM people WHERE town = 'south' AND age = 77 GROUP BY illness",
    ['left out: minimum-entities'],
  ],
  [
    'the same without a count',
    'SELECT DISTINCT illness FROM people WHERE age = 77',
    ['left out: minimum-entities'],
  ],
  [
    'the same in a key of several columns',
    "SELECT town || CASE WHEN age = 77 THEN illness ELSE 'x' END k, count(*) n FROM people GROUP BY k",
    ['northx 30', 'southx 10', 'left out: minimum-entities'],
  ],
  [
    'a public value of the whole table may be seen',
    'SELECT illness, count(*) n FROM people GROUP BY illness ORDER BY illness',
    ['flu 20', 'none 20', 'rare ✗minimum-entities'],
  ],
  [
    'HAVING on an unsafe cell',
    'SELECT town, count(*) n FROM people GROUP BY town HAVING sum(salary) FILTER (WHERE age = 77) > 5000',
    ['left out: minimum-entities'],
  ],
  [
    'ORDER BY an unsafe cell',
    'SELECT town, count(*) n FROM people GROUP BY town ORDER BY sum(salary) FILTER (WHERE age = 77) DESC',
    ['north 30', 'south 11'],
  ],
  [
    'arithmetic above the aggregate',
    'SELECT sum(salary) - sum(salary) FILTER (WHERE age < 77) d, coalesce(sum(salary) FILTER (WHERE age = 77), -1) e, CASE WHEN sum(salary) FILTER (WHERE age = 77) > 5800 THEN 1 ELSE 0 END f FROM people',
    ['✗complement ✗minimum-entities ✗minimum-entities'],
  ],
  [
    'infinity',
    'SELECT sum(salary * 1e304) a, avg(salary * 1e200 * 1e200) b FROM people',
    ['✗dominance ✗dominance'],
  ],
  [
    'what is large stays exact, and safe',
    'SELECT sum(salary * 1000000000000000) a, round(sum(ratio), 1) b FROM people',
    ['215777000000000000000 52.8'],
  ],
]

describe('signed, run, and withheld', () => {
  it.each(WITHHELD)('%s', async (_, sql, rows) => {
    const outcome = await attack.ask(sql)
    expect(outcome.stopped === null ? shown(outcome.released) : outcome).toEqual(rows)
  })
})
