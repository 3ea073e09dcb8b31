import { type PlanNode, usesOf } from '@sluice/core/plan'
import { describe, expect, it } from 'vitest'
import { call, cast, column, int, Plans, planOf, TEXT, test, text, when } from './plans.ts'

const plans = new Plans()
const loans = plans.scan('loans', 'person_id', 'state', 'amount', 'score')
const people = plans.scan('people', 'person_id', 'age')
const of = (node: PlanNode) => (name: string) => column(node, name)
const loan = of(loans)
const person = of(people)
const count = (input: PlanNode, keys = {}) => plans.aggregate(input, keys, { n: ['count', null] })

/** `column use`, sorted. */
const uses = (root: PlanNode) =>
  usesOf(planOf(root))
    .map(({ column: name, use }) => `${name} ${use}`)
    .sort()

describe('usesOf', () => {
  it.each<[string, () => PlanNode, string[]]>([
    ['a released column', () => plans.project(loans, { x: loan('amount') }), ['amount output']],
    [
      'a column that nothing needs',
      () => plans.project(plans.project(loans, { x: loan('amount'), y: loan('state') }), { z: int(1) }),
      [],
    ],
    ['a group key that is released', () => count(loans, { s: loan('state') }), ['state group']],
    [
      'a key made by a condition',
      () => count(loans, { s: when(test('greater', loan('score'), int(5)), int(1), int(0)) }),
      ['score filter', 'score group'],
    ],
    [
      'a key made of a column and a condition',
      () => count(loans, { s: when(test('isNull', loan('score')), loan('state'), text('x')) }),
      ['score filter', 'score group', 'state group'],
    ],
    [
      'an argument',
      () => plans.aggregate(loans, {}, { x: ['sum', call('add', loan('amount'), int(1))] }),
      ['amount aggregate'],
    ],
    [
      'a condition in an argument',
      () =>
        plans.aggregate(
          loans,
          {},
          { x: ['sum', when(test('equal', loan('state'), text('a')), loan('amount'), int(0))] },
        ),
      ['amount aggregate', 'state filter'],
    ],
    [
      'a comparison as an argument',
      () => plans.aggregate(loans, {}, { x: ['sum', cast(test('greater', loan('score'), int(5)))] }),
      ['score filter'],
    ],
    [
      'NULLIF in an argument',
      () => plans.aggregate(loans, {}, { x: ['count', call('nullIf', loan('amount'), loan('score'))] }),
      ['amount aggregate', 'amount filter', 'score aggregate', 'score filter'],
    ],
    [
      'FILTER',
      () =>
        plans.aggregate(
          loans,
          {},
          { x: ['count', null, { filter: test('greater', loan('score'), int(5)) }] },
        ),
      ['score filter'],
    ],
    ['WHERE', () => count(plans.filter(loans, test('like', loan('state'), text('a%')))), ['state filter']],
    [
      'HAVING on a key and on an aggregate',
      () => {
        const grouped = plans.aggregate(loans, { s: loan('state') }, { x: ['sum', loan('amount')] })
        const key = plans.filter(grouped, test('equal', column(grouped, 's'), text('a')))
        return plans.filter(key, test('greater', column(grouped, 'x'), int(5)))
      },
      ['amount aggregate', 'state filter', 'state group'],
    ],
    [
      'ORDER BY over rows',
      () => ({
        kind: 'sort',
        input: loans,
        keys: [{ expression: loan('score'), descending: false, nullsFirst: false }],
      }),
      ['amount output', 'person_id output', 'score output', 'state output'],
    ],
    [
      'ORDER BY over groups',
      () => {
        const grouped = count(loans, { s: loan('state') })
        return {
          kind: 'sort',
          input: grouped,
          keys: [{ expression: column(grouped, 's'), descending: false, nullsFirst: false }],
        }
      },
      ['state group'],
    ],
    [
      'an equality of bare columns',
      () => count(plans.join(loans, people, test('equal', loan('person_id'), person('person_id')))),
      ['person_id join', 'person_id join'],
    ],
    [
      'an equality of renamed and cast columns',
      () => {
        const renamed = plans.project(people, { id: call('lower', cast(person('person_id'), TEXT)) })
        return count(plans.join(loans, renamed, test('equal', column(renamed, 'id'), loan('person_id'))))
      },
      ['person_id join', 'person_id join'],
    ],
    [
      'a join by comparison',
      () => count(plans.join(loans, people, test('less', loan('score'), person('age')))),
      ['age filter', 'age join', 'score filter', 'score join'],
    ],
    [
      'a join on one side’s columns',
      () => count(plans.join(loans, people, test('equal', loan('score'), loan('amount')))),
      ['amount filter', 'amount join', 'score filter', 'score join'],
    ],
    [
      'a join by a computed column',
      () =>
        count(plans.join(loans, people, test('equal', call('add', loan('score'), int(1)), person('age')))),
      ['age filter', 'age join', 'score filter', 'score join'],
    ],
    [
      'a union',
      () => {
        const other = plans.scan('loans', 'state', 'amount')
        const both = plans.union(plans.project(loans, { s: loan('state'), a: loan('score') }), other)
        return plans.aggregate(both, { s: column(both, 's') }, { x: ['sum', column(both, 'a')] })
      },
      ['amount aggregate', 'score aggregate', 'state group', 'state group'],
    ],
  ])('%s', (_, root, expected) => {
    expect(uses(root())).toEqual(expected)
  })
})
