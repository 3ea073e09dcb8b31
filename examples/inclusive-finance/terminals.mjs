// Terminals: the command line in processes of their own, and what they say with the party's name before it.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = join(
  dirname(fileURLToPath(import.meta.resolve('@sluice/cli/package.json'))),
  'bin',
  'sluice.js',
)

/** Starts a command; `watch` is called with the process and all that it has said on stderr so far. */
export function terminal(cwd, words, watch) {
  const env = { ...process.env, NO_COLOR: '1', LANG: 'C', LC_ALL: 'C' }
  const child = spawn(process.execPath, [program, ...words], { cwd, env })
  const end = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    end.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    end.stderr += text
    watch?.({ child, said: end.stderr })
  })
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ ...end, code: code ?? signal }))
  })
  return { child, ended }
}

/** A command that has to go well. */
export async function sluice(cwd, ...words) {
  const { code, stdout, stderr } = await terminal(cwd, words).ended
  if (code !== 0) throw new Error(`sluice ${words.join(' ')}: ${stderr}`)
  return stdout
}

export function show(party, text) {
  for (const line of text.trimEnd().split('\n')) console.log(`[${party}] ${line}`.trimEnd())
}
