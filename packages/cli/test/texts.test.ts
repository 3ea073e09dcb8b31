import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { loadTranslate } from '@sluice/cli'
import { describe, expect, it } from 'vitest'
import { errorTexts } from './texts.js'

/** The copy of zod that packages with job files use. */
const { z } = createRequire(new URL('../../mpc/package.json', import.meta.url))('zod')
interface Schema {
  safeParse(value: unknown): { error?: { issues: { message: string }[] } }
}

const chinese = await loadTranslate('zh')
const texts = errorTexts(fileURLToPath(new URL('../../', import.meta.url)))

/** What a policy, a configuration or a catalogue may hold at a place is a part of a sentence, which `problemsError` completes. */
const FRAGMENTS =
  /^core\/src\/(policy\/(complete|document|issues|schema)|anonymize\/config\/config|classify\/catalogue\/parse)\.ts/
/** Rooms whose remedies are not of one form yet. */
const UNEVEN = /^core\/src\/desensitize\b/
/** Said to programmers and to whoever tampers, never to a user. */
const INTERNAL =
  /^(a|an|this is not an?) \w+ (is made by|has no canonical)|^this is not an? [A-Z]\w+$|^(the plan does not hold together|an encoded plan|a plan |a ledger (begins|is opened)|this ledger was opened|a subtree|a tree of|there is no entry \{\} in a tree|a step is|an entry's \{\}|what stands above|the engine described|columns can be carried|a column is read|the plan names a column|dateAdd|a unit of time|a (boolean|number) literal|a (name|text) cannot be written|a parameter cannot be written|the engine’s syntax tree|the ledger has not been read|unhandled case|this is not a commitment)/
/** Only names and numbers, put together; or a word of the policy language. */
const EMPTY = /^([{}:;,. ]*|aggregate|true)$/

describe('remedies', () => {
  const remedies = texts.filter(
    ({ kind, at }) => kind === 'remedy' && ![FRAGMENTS, UNEVEN].some(rooms => rooms.test(at)),
  )

  it('are found, also behind functions that pass them on', () => {
    const found = new Set(texts.map(({ text }) => text))
    expect(texts.length).toBeGreaterThan(500)
    for (const text of [
      'the aggregate {} is not understood',
      'Use count, sum or avg.',
      'there is no column of this name',
      'Use one of {}.',
      'rows of "{}" are not released',
      'a cast that rounds, above the aggregate',
    ])
      expect(found).toContain(text)
  })

  it('are whole sentences: a capital letter, and a full stop or a question mark', () => {
    expect(remedies.length).toBeGreaterThan(200)
    expect(remedies.filter(({ text }) => !/^\p{Lu}.*[.?]$/su.test(text))).toEqual([])
  })
})

describe('in Chinese', () => {
  const spoken = texts.filter(({ text }) => !INTERNAL.test(text) && !EMPTY.test(text))

  it('every text of an error, with what is put in where it belongs', () => {
    const without = spoken.filter(({ text }) => {
      const filled = text.replaceAll('{}', () => 'x1')
      const said = chinese(filled)
      const parts = text.split('{}').length - 1
      return said === filled || (said.match(/x1/g) ?? []).length < parts
    })
    expect(without).toEqual([])
    expect(spoken.length).toBeGreaterThan(500)
  })

  it('what a schema finds wrong with a job, whichever way it is wrong', () => {
    const either = z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('a') }),
      z.strictObject({ kind: z.literal('b') }),
    ])
    const wrong: [Schema, unknown][] = [
      [z.string(), 1],
      [z.string(), undefined],
      [z.int(), 1.5],
      [z.literal('sluice-joint/2'), 'another'],
      [z.enum(['computing', 'provider']), 'other'],
      [z.string().max(2), 'abc'],
      [z.string().min(2), 'a'],
      [z.string().regex(/^a$/), 'b'],
      [z.array(z.string()).max(1), ['a', 'b']],
      [z.array(z.string()).min(3), []],
      [z.int().min(1), 0],
      [z.int().max(5), 9],
      [z.strictObject({}), { other: 1 }],
      [z.strictObject({}), { other: 1, another: 2 }],
      [z.union([z.string(), z.int()]), null],
      [z.record(z.enum(['a']), z.string()), { b: 'c' }],
      [either, { kind: 'c' }],
    ]
    for (const [schema, value] of wrong) {
      const { message } = schema.safeParse(value).error!.issues[0]!
      const said = chinese(`the job is refused at parties.0: ${message}`)
      expect(said).toMatch(/^任务在 parties\.0 处被拒绝：\p{Script=Han}/u)
      expect(said).not.toMatch(/invalid|expect|too |must|option|unrecognized/i)
    }
  })

  it('names, places and what is said of a part are kept apart', () => {
    expect(chinese('2:3 use.filter: column "cost" of "strikes" may not be used to filter')).toBe(
      '2:3 use.filter：数据集“strikes”的列“cost”不得用于 filter',
    )
    expect(chinese('rows of "strikes" are not released (and 4 more)')).toBe(
      '“strikes”不放行逐行数据（另有 4 项）',
    )
    expect(chinese('homomorphic aggregation cannot run this plan: a sort above the aggregate')).toBe(
      '同态聚合不能运行此计划：统计之上有 sort',
    )
    expect(chinese('nobody ever wrote this')).toBe('nobody ever wrote this')
  })
})
