import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../packages/cli/bin/sluice.js', import.meta.url))

/** A command in a process of its own, and what it printed as JSON. */
export function sluice(folder, words) {
  const child = spawn(process.execPath, [program, ...words, '--json', '--progress', 'none'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', chunk => {
    said += String(chunk)
  })
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve(JSON.parse(said))
      else reject(new Error(`sluice ${words.join(' ')} ended with ${code}: ${said}`))
    })
  })
  return { pid: child.pid, ended }
}
