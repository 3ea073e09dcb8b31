import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const sluice = `${process.execPath} ${join(root, 'packages/cli/bin/sluice.js')}`

/** The commands under a heading, line by line, without what is said of them. */
async function commandsOf(file: string, heading: string): Promise<string[]> {
  const text = await readFile(join(root, file), 'utf8')
  const block = /```sh\n([\s\S]*?)```/.exec(text.slice(text.indexOf(heading)))?.[1] ?? ''
  return block
    .split('\n')
    .map(line => line.replace(/ *#.*$/, ''))
    .filter(line => line !== '')
}

async function fakeClone(): Promise<string> {
  const clone = await mkdtemp(join(tmpdir(), 'sluice-readme-'))
  onTestFinished(() => rm(clone, { recursive: true, force: true }))
  await symlink(join(root, 'examples'), join(clone, 'examples'))
  return clone
}

describe('the commands of the README', () => {
  it('run as they stand', async () => {
    const clone = await fakeClone()
    await writeFile(join(clone, 'secret'), 'correct horse battery staple\n', { mode: 0o600 })
    const commands = await commandsOf('README.md', '## The same by hand')
    const withId = commands.map(command =>
      command
        .replaceAll('npx sluice', sluice)
        .replace(/^(.* sign .*)$/, '$1 --yes')
        .replaceAll('r-0123456789', '"$(cat ../id)"'),
    )
    const submit = withId.findIndex(command => command.includes('request submit'))
    withId[submit] += ' | grep -om1 "r-[0-9a-f]*" > ../id'
    const env = { ...process.env, SLUICE_PASSPHRASE_FILE: join(clone, 'secret') }
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', withId.join('\n')], {
      cwd: clone,
      env,
    })
    for (const size of ['Large', 'Medium', 'Small']) expect(stdout).toContain(size)
    expect(commands.length).toBeGreaterThan(15)
  })

  it('are the same in Chinese', async () => {
    expect(await commandsOf('README.zh-CN.md', '## 手工走一遍')).toEqual(
      await commandsOf('README.md', '## The same by hand'),
    )
  })
})
