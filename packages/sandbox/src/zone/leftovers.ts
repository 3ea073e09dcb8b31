import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { nodeFiles } from '@sluice/ledger'
import type { ZoneLayout } from './layout.js'
import type { ZoneState } from './state.js'

/** A directory of this process below `staging`, for its children; gone when it is released. */
export interface StagingClaim {
  readonly path: string
  release(): Promise<void>
}

const LOCK = 'lock'
const DAY = 24 * 60 * 60 * 1000

/**
 * Makes a staging directory for this process, and removes those of processes that were killed: each holds a lock of
 * the system's in its directory for as long as it lives. What a killed run had staged does not stay.
 */
export async function claimStaging(layout: ZoneLayout): Promise<StagingClaim> {
  await nodeFiles.makeDirectory(layout.staging, 0o700)
  const turn = await waitForLock(join(layout.staging, LOCK))
  try {
    for (const entry of await readdir(layout.staging, { withFileTypes: true })) {
      if (entry.isDirectory()) await removeIfAbandoned(join(layout.staging, entry.name))
    }
    const path = join(layout.staging, randomBytes(8).toString('hex'))
    await mkdir(path, { mode: 0o700 })
    const lock = await waitForLock(join(path, LOCK))
    return {
      path,
      release: async () => {
        await rm(path, { recursive: true, force: true })
        await lock.release()
      },
    }
  } finally {
    await turn.release()
  }
}

/**
 * Removes what no entry of the ledger names: files of registrations and runs that were killed before their entry was
 * written, and of versions that were replaced. Only what is older than a day, for somebody may be about to write
 * that entry.
 */
export async function removeOrphans(layout: ZoneLayout, state: ZoneState, now: Date): Promise<void> {
  const data = new Set(
    [...state.datasets.values()]
      .filter(dataset => !dataset.retired)
      .flatMap(dataset => [dataset.file, ...dataset.tables.map(table => table.file)]),
  )
  const results = new Set([...state.releases.values()].map(({ release }) => release.resultCommitment))
  for (const request of state.requests.values()) {
    for (const run of request.runs) results.add(run.parametersCommitment)
  }
  await removeOld(layout.data, name => !data.has(name), now)
  await removeOld(layout.results, name => !results.has(name.split('.')[0] ?? ''), now)
}

async function removeIfAbandoned(directory: string): Promise<void> {
  const lock = await nodeFiles.tryLock(join(directory, LOCK))
  if (lock === null) return
  await rm(directory, { recursive: true, force: true })
  await lock.release()
}

async function removeOld(directory: string, isOrphan: (name: string) => boolean, now: Date): Promise<void> {
  for (const name of (await readdir(directory)).filter(isOrphan)) {
    const path = join(directory, name)
    const { mtimeMs } = await stat(path)
    if (now.getTime() - mtimeMs > DAY) await rm(path, { recursive: true, force: true })
  }
}

/** Held for milliseconds by others, so asking again is enough. */
async function waitForLock(path: string) {
  for (;;) {
    const lock = await nodeFiles.tryLock(path)
    if (lock !== null) return lock
    await setTimeout(10)
  }
}
