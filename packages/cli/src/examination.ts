import { stat, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import type { Context } from './context.js'

/** One thing that was looked at. */
export interface Finding {
  readonly check: 'node' | 'platform' | 'duckdb' | 'isolation' | 'prlimit' | 'disk' | 'permissions'
  readonly state: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy?: string
}

const RECOMMENDED_NODE = 24
const OLDEST_SUPPORTED_NODE = 22
const LITTLE_DISK = 2 * 1024 ** 3
const GIB = 1024 ** 3

/** Looks at what a zone needs of a machine, and at the zone's own files where there is one. */
export async function examine(context: Context): Promise<Finding[]> {
  const zone = context.settings.zone
  return [
    node(),
    platform(),
    await engine(),
    ...(await isolation()),
    await disk(zone ?? context.io.cwd),
    ...(zone === undefined ? [] : await permissions(zone)),
  ]
}

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  const detail = process.version
  if (major >= OLDEST_SUPPORTED_NODE) return { check: 'node', state: 'ok', detail }
  return {
    check: 'node',
    state: 'warn',
    detail: `${detail}, which gets no security fixes any more`,
    remedy: `Install Node ${RECOMMENDED_NODE}.`,
  }
}

function platform(): Finding {
  const { platform, arch } = process
  const memory = `${(totalmem() / GIB).toFixed(0)} GiB`
  const detail = `${platform} ${arch}, ${memory}`
  if (platform === 'linux') return { check: 'platform', state: 'ok', detail }
  return {
    check: 'platform',
    state: 'warn',
    detail: `${detail}: process isolation only`,
    remedy: 'Run zones with data of level 3 and above on Linux.',
  }
}

/** Starts the engine's parser in its child process: what a request needs. */
async function engine(): Promise<Finding> {
  const { ENGINE_VERSION, Gate } = await import('@sluice/sandbox/sql')
  try {
    const gate = await Gate.start()
    await gate.close()
    return { check: 'duckdb', state: 'ok', detail: ENGINE_VERSION }
  } catch (error) {
    const told = isSluiceError(error) ? `${error.code}: ${error.message}` : 'it does not start'
    return {
      check: 'duckdb',
      state: 'fail',
      detail: told,
      remedy: 'Install the dependencies again: npm install.',
    }
  }
}

async function isolation(): Promise<Finding[]> {
  const { detectIsolation, findPrograms } = await import('@sluice/sandbox/duckdb')
  const mode = await detectIsolation()
  const { prlimit } = findPrograms()
  return [
    mode === 'process'
      ? {
          check: 'isolation',
          state: 'warn',
          detail: 'process: an engine that is taken over can reach files and network',
          remedy: 'Install bubblewrap (apt install bubblewrap), or allow unprivileged user namespaces.',
        }
      : { check: 'isolation', state: 'ok', detail: mode },
    prlimit === null
      ? {
          check: 'prlimit',
          state: 'warn',
          detail: 'missing: memory is watched instead of limited',
          remedy: 'Install util-linux.',
        }
      : { check: 'prlimit', state: 'ok', detail: prlimit },
  ]
}

async function disk(directory: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(directory)
    const free = bavail * bsize
    const detail = `${(free / GIB).toFixed(1)} GiB free (${directory})`
    if (free >= LITTLE_DISK) return { check: 'disk', state: 'ok', detail }
    return {
      check: 'disk',
      state: 'warn',
      detail,
      remedy: 'Free some space: data, working copies and results need it.',
    }
  } catch {
    return { check: 'disk', state: 'fail', detail: `${directory} cannot be read`, remedy: 'Check the path.' }
  }
}

/** The zone's directory and the log's key are for their owner alone. */
async function permissions(zone: string): Promise<Finding[]> {
  const checks = await Promise.all(
    [zone, join(zone, 'log.key')].map(async (path): Promise<Finding> => {
      const mode = await stat(path).then(
        status => status.mode & 0o777,
        () => null,
      )
      if (mode === null) {
        return {
          check: 'permissions',
          state: 'fail',
          detail: `${path} is missing`,
          remedy: 'Restore it from a copy.',
        }
      }
      const detail = `${path} ${mode.toString(8)}`
      if ((mode & 0o077) === 0) return { check: 'permissions', state: 'ok', detail }
      return { check: 'permissions', state: 'fail', detail, remedy: `Run chmod go-rwx ${path}.` }
    }),
  )
  return checks
}
