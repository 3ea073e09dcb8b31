import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ERROR_CODES } from '@sluice/core'
import { expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src/', import.meta.url))
const read = (name: string) => readFileSync(join(source, name), 'utf8')
const keysOf = (text: string) => [...text.matchAll(/^ {2}'([\w.-]+)':/gm)].map(([, key]) => key!)

const en = keysOf(read('messages/en.ts'))
const zh = keysOf(read('messages/zh.ts'))
const used = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts') && !name.startsWith('messages'))
  .map(read)
  .join('\n')

it('says everything in both languages', () => {
  expect(en.length).toBeGreaterThan(80)
  expect(zh).toEqual(en)
})

it('has no message that nothing says', () => {
  // parts of these keys are computed: the rule of a suppression, the state of a check
  const computed = [...used.matchAll(/`((?:\w+\.)+)\$\{/g)].map(([, prefix]) => prefix!)
  const unused = en.filter(
    key => !used.includes(`'${key}'`) && !computed.some(prefix => key.startsWith(prefix)),
  )
  expect(unused).toEqual([])
})

it('has a Chinese sentence for every error code', () => {
  const sentences = read('messages/zh.ts')
  for (const code of Object.keys(ERROR_CODES))
    expect(sentences).toMatch(new RegExp(`^ {2}${code}: '.*\\p{Script=Han}`, 'mu'))
})
