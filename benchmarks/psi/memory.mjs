import { readdirSync, readFileSync } from 'node:fs'

const PAGE_BYTES = 4096
const MILLISECONDS = 50

/**
 * Watches what a process and all that it has started hold in memory, as Linux counts resident pages; those that two
 * of them share count twice.
 *
 * @returns ends the watch and tells the most that was seen, in bytes; NaN where the system does not tell
 */
export function watchMemory(pid) {
  let most = Number.NaN
  const timer = setInterval(() => {
    const now = residentOf(pid)
    if (!Number.isNaN(now) && !(now <= most)) most = now
  }, MILLISECONDS)
  return () => {
    clearInterval(timer)
    return most
  }
}

function residentOf(pid) {
  try {
    const own = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
    return childrenOf(pid).reduce((sum, child) => sum + (residentOf(child) || 0), own)
  } catch {
    // it has ended, or there is no such file system
    return Number.NaN
  }
}

function childrenOf(pid) {
  const children = thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
  return readdirSync(`/proc/${pid}/task`).flatMap(thread => children(thread).split(' ').filter(Boolean))
}
