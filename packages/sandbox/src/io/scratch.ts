import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../isolation/staging.js'

const PREFIX = '.sluice-'
const NAME = /^\.sluice-([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{16}$/

/**
 * Makes a directory of mode 700 for working files beside what they become.
 *
 * @see scratchPath
 * @throws what the file system says
 */
export async function makeScratch(parent: string): Promise<string> {
  const path = await scratchPath(parent)
  await mkdir(path, { mode: 0o700 })
  return path
}

/**
 * Names a working file or directory beside what it becomes, and first removes those that processes of this machine left
 * there when they were killed. Its name says whose it is: another machine's on a shared file system is left alone, and so
 * is one whose process, or another one of that number, is alive.
 */
export async function scratchPath(parent: string): Promise<string> {
  await sweep(parent)
  return join(parent, `${PREFIX}${host()}-${process.pid}-${randomBytes(8).toString('hex')}`)
}

/** What cannot be listed or removed is not worth failing for: whatever is to be written there will say so. */
async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names) {
    const [, machine, pid] = NAME.exec(name) ?? []
    if (machine !== host() || isAlive(Number(pid))) continue
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined)
  }
}

function host(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}
