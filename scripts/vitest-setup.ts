import { afterEach, expect } from 'vitest'

interface SluiceMatchers<R = unknown> {
  /** The function (or the promise) fails with a `SluiceError` of this code, and of this rule where one is given. Await it. */
  toThrowWithCode(code: string, rule?: string): R
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration must repeat vitest's own type parameters
  interface Matchers<T = any> extends SluiceMatchers<T> {}
}

let unsettled = 0

afterEach(() => {
  if (unsettled === 0) return
  unsettled = 0
  throw new Error('await expect(…).toThrowWithCode(…): what nobody awaits cannot fail its test')
})

expect.extend({
  async toThrowWithCode(received: unknown, code: string, rule?: string) {
    unsettled += 1
    const thrown = await outcome(received)
    unsettled -= 1
    const { code: actualCode, rule: actualRule } = (thrown ?? {}) as { code?: string; rule?: string }
    const pass = actualCode === code && (rule === undefined || actualRule === rule)
    return {
      pass,
      message: () =>
        `expected an error with code ${code}${rule ? ` and rule ${rule}` : ''}, got ` +
        (thrown === undefined ? 'none' : `${actualCode} ${actualRule ?? ''}: ${String(thrown)}`),
    }
  },
})

async function outcome(received: unknown): Promise<unknown> {
  try {
    await (typeof received === 'function' ? received() : received)
    return undefined
  } catch (error) {
    return error
  }
}
