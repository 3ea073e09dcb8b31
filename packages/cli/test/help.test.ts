import { Readable } from 'node:stream'
import { commandReference, main } from '@sluice/cli'
import { expect, it } from 'vitest'

/** Every command by its words, as the reference lists them. */
const commands = [...commandReference().matchAll(/^## sluice (.+)$/gm)].map(([, words]) => words!.split(' '))

async function help(words: readonly string[], env: Record<string, string>): Promise<string> {
  let shown = ''
  const sink = {
    write: (text: string | Uint8Array) => {
      shown += String(text)
    },
  }
  const code = await main([...words, '--help'], {
    cwd: '/',
    env,
    stdin: Readable.from([]),
    stdout: sink,
    stderr: sink,
    signal: new AbortController().signal,
    now: () => new Date(),
  } as unknown as Parameters<typeof main>[1])
  expect(code).toBe(0)
  return shown
}

/** Titles, descriptions and what stands beside each option and command; usage and examples are what is typed. */
function proseOf(text: string): string[] {
  const lines = text.split('\n').filter(line => line.trim() !== '' && !/^ {2}\$ /.test(line))
  return lines.flatMap((line, index) => {
    if (index === 0) return []
    const beside = /^ {2}\S.*? {2,}(\S.*)$/.exec(line)?.[1]
    if (beside !== undefined) return [beside]
    return /^\s/.test(line) ? [] : [line]
  })
}

it.each(commands.map(words => [words]))('the help of %j is Chinese', async words => {
  const prose = proseOf(await help(words, { LANG: 'zh_CN.UTF-8' }))
  expect(prose.length).toBeGreaterThan(5)
  expect(prose.filter(line => !/\p{Script=Han}/u.test(line))).toEqual([])
})

it('the help is English where nobody asks for Chinese', async () => {
  const text = await help(['request', 'submit'], {})
  expect(text).toContain('Usage:')
  expect(text).not.toMatch(/[\u4e00-\u9fff]/)
})
