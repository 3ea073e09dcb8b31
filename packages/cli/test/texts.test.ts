import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { errorTexts } from './texts.js'

const texts = errorTexts(fileURLToPath(new URL('../../', import.meta.url)))

/** What a policy may hold at a place is a part of a sentence, which `problemsError` completes. */
const FRAGMENTS = /^core\/src\/policy\/(complete|document|issues|schema)\.ts/
/** Rooms whose remedies are not of one form yet. */
const LATER = /^(core\/src\/(desensitize|classify|anonymize|he)|mpc\/src)\//

const remedies = texts.filter(({ kind, at }) => kind === 'remedy' && !FRAGMENTS.test(at) && !LATER.test(at))

it('finds the texts of errors, also behind functions that pass them on', () => {
  const found = new Set(texts.map(({ text }) => text))
  expect(texts.length).toBeGreaterThan(500)
  for (const text of [
    'the aggregate {} is not understood',
    'Use count, sum or avg.',
    'there is no column of this name',
    'Use one of {}.',
    'rows of "{}" are not released',
  ])
    expect(found).toContain(text)
})

it('a remedy is a whole sentence: a capital letter, and a full stop or a question mark', () => {
  expect(remedies.length).toBeGreaterThan(200)
  expect(remedies.filter(({ text }) => !/^\p{Lu}.*[.?]$/su.test(text))).toEqual([])
})
