import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { parseTranscript, removeSetups, runTranscript } from './transcript.js'

const folder = join(dirname(fileURLToPath(import.meta.url)), 'transcripts')
const names = readdirSync(folder).filter(name => name.endsWith('.txt'))

afterAll(removeSetups)

describe('transcripts', () => {
  it.for(names)('%s', async name => {
    expect(await runTranscript(parseTranscript(readFileSync(join(folder, name), 'utf8')))).toBeNull()
  })
})

describe('the runner of transcripts', () => {
  const run = (...lines: string[]) => runTranscript(parseTranscript(lines.join('\n')))

  it('notices a line that differs, is missing or is too many', async () => {
    expect(await run('+ a', '| one', '| two', '$ cat a', '> one', '> two')).toBeNull()
    expect(await run('+ a', '| one', '| two', '$ cat a', '> one', '> tow')).toContain('instead of')
    expect(await run('+ a', '| one', '| two', '$ cat a', '> one')).toContain('has more')
    expect(await run('+ a', '| one', '$ cat a', '> one', '> two')).toContain('(the end)')
  })

  it('notices another exit code and other text on stderr', async () => {
    expect(await run('$ sluice --version', '> {any}', '= 2')).toContain('exit code 0')
    expect(await run('$ sluice --version', '> {any}', '! error')).toContain('stderr')
  })

  it('remembers what a placeholder matched', async () => {
    expect(await run('+ a', '| 00 ff', '| 00', '$ cat a', '> {hex x} {hex}', '> {x}')).toBeNull()
    expect(await run('+ a', '| 00 ff', '| 11', '$ cat a', '> {hex x} {hex}', '> {x}')).toContain('instead of')
  })
})
