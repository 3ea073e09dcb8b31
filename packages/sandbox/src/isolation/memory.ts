import { readdirSync, readFileSync } from 'node:fs'
import { deathError, type IsolatedProcess } from './process.js'

const EVERY_MILLISECONDS = 100
const PAGE_BYTES = 4096

/**
 * The memory ceiling where `prlimit` is missing: looks at the resident size of the child's process group and kills
 * it past the limit. Where there is no /proc (macOS) only the engine's own limit holds; `sluice doctor` says so.
 *
 * @returns stops watching
 */
export function watchMemory(child: IsolatedProcess, limitBytes: number): () => void {
  const timer = setInterval(() => {
    if (residentBytes(child.pid) > limitBytes) child.kill(deathError('MEMORY_EXCEEDED'))
  }, EVERY_MILLISECONDS)
  return () => clearInterval(timer)
}

/** Resident bytes of all processes of a group, 0 where that cannot be told (proc(5): fields 5 and 24 of stat). */
export function residentBytes(group: number | undefined): number {
  if (group === undefined) return 0
  let pages = 0
  for (const name of processes()) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(fields[2]) === group) pages += Number(fields[21])
    } catch {
      // ended since it was listed
    }
  }
  return pages * PAGE_BYTES
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name))
  } catch {
    return []
  }
}
