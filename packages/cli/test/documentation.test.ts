import { readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandReference } from '@sluice/cli'
import { afterAll, describe, expect, it } from 'vitest'
import { copySetup, type Outcome, removeSetups, runCommand, type State, temporaryRoot } from './transcript.js'

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))
const read = (name: string) => readFileSync(join(docs, name), 'utf8')

interface Block {
  readonly language: string
  /** what stands after the language: a file's name, or `exit=3` */
  readonly info: string
  readonly text: string
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', info = '', text = '']) => ({ language, info, text }),
  )
}

/** Runs a page from top to bottom: files are written, commands typed, and what a `text` block shows has to come. */
async function follow(page: string, root: string, environment: string): Promise<void> {
  await writeFile(join(root, 'passphrase'), 'correct horse battery staple\n')
  const state: State = { cwd: root, remembered: new Map() }
  const named = new Map<string, string>()
  let last = ''
  for (const { language, info, text } of blocksOf(read(page))) {
    if (language === 'text') expect(last, 'what the page shows').toContain(text)
    else if (language !== 'sh') {
      await mkdir(dirname(join(root, info)), { recursive: true })
      await writeFile(join(root, info), text)
    } else {
      for (const line of text.trimEnd().split('\n')) {
        const { exitCode, stdout, stderr } = await type(line, named, state, root, environment)
        expect({ line, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({
          line,
          exitCode: Number(/exit=(\d+)/.exec(info)?.[1] ?? 0),
          stderr: info === '' ? '' : stderr,
        })
        last = stdout + stderr
        remember(named, 'r-1a2b3c4d5e', /^request +(r-[0-9a-f]{10})$/m.exec(stdout)?.[1])
        remember(named, '7b0d9c4e', /^release +([0-9a-f]{32})$/m.exec(stdout)?.[1])
      }
    }
  }
}

function type(
  line: string,
  named: ReadonlyMap<string, string>,
  state: State,
  root: string,
  environment: string,
): Promise<Outcome> {
  const own = [...named].reduce((command, [shown, real]) => command.replaceAll(shown, real), line)
  // the page’s reader is asked at a terminal
  const answered = own.startsWith('sluice sign ') ? `${own} --yes` : own
  const command = own.startsWith('sluice ') ? `${environment} ${answered}` : own
  return runCommand(command, [], state, root)
}

function remember(named: Map<string, string>, shown: string, real: string | undefined): void {
  if (real !== undefined && !named.has(shown)) named.set(shown, real)
}

afterAll(removeSetups)

describe('the guides', () => {
  it('the operator’s guide can be followed', async () => {
    const root = await temporaryRoot()
    try {
      await follow('guide-operator.md', root, `SLUICE_PASSPHRASE_FILE=${join(root, 'passphrase')}`)
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })

  it('the consumer’s guide can be followed', async () => {
    const root = await temporaryRoot()
    try {
      await copySetup('zone', root)
      const zone = `SLUICE_ZONE=${join(root, 'zone')}`
      await follow('guide-consumer.md', root, `SLUICE_PASSPHRASE_FILE=${join(root, 'passphrase')} ${zone}`)
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })

  it.for(['guide-operator', 'guide-consumer'])('%s has the same commands and files in Chinese', name => {
    expect(blocksOf(read(`${name}.zh-CN.md`))).toEqual(blocksOf(read(`${name}.md`)))
  })

  it('finds blocks with their language, name and text', () => {
    expect(blocksOf('a\n```sql q.sql\nSELECT 1\n```\nb\n```sh\nls\n```\n')).toEqual([
      { language: 'sql', info: 'q.sql', text: 'SELECT 1\n' },
      { language: 'sh', info: '', text: 'ls\n' },
    ])
  })
})

describe('the reference of commands', () => {
  it('is what the commands say (node packages/cli/scripts/generate.mjs)', () => {
    expect(read('cli.md')).toBe(commandReference())
  })

  it('names every command with an example', () => {
    const sections = commandReference().split(/^## /m).slice(2)
    expect(sections.length).toBeGreaterThan(30)
    for (const section of sections) expect(section).toMatch(/```sh\nsluice [\s\S]*```sh\nsluice /)
  })
})
