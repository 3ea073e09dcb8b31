import { describe, expect, test } from 'vitest'

const refuse = async () => {
  await new Promise(resolve => setTimeout(resolve, 5))
  throw Object.assign(new Error('no'), { code: 'SQL_REFUSED', rule: 'function' })
}

describe('toThrowWithCode', () => {
  test('takes functions and promises, with and without a rule', async () => {
    await expect(refuse).toThrowWithCode('SQL_REFUSED')
    await expect(refuse()).toThrowWithCode('SQL_REFUSED', 'function')
  })

  test.fails('fails for another code', async () => {
    await expect(refuse).toThrowWithCode('SQL_SYNTAX')
  })

  test.fails('fails for another rule', async () => {
    await expect(refuse).toThrowWithCode('SQL_REFUSED', 'table')
  })

  test.fails('fails where nothing is thrown', async () => {
    await expect(() => 1).toThrowWithCode('SQL_REFUSED')
  })

  test.fails('fails where nobody awaits it', () => {
    expect(refuse).toThrowWithCode('SQL_REFUSED')
  })
})
