import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { ISOLATION_MODES, type IsolationMode } from '../isolation/mode.js'
import { codeOf } from '../isolation/staging.js'
import type { ZoneLayout } from './layout.js'

/** What an operator fixes for a zone in its `sluice.yaml`, as far as it binds whoever opens the zone. */
export interface ZoneSettings {
  /** the least isolation; null where the data's grade decides */
  readonly isolation: IsolationMode | null
}

const FILE = 'sluice.yaml'
const LIMIT = 65_536

/**
 * Reads the zone's settings; the file's other names are for the command line, which checks them.
 *
 * @throws SluiceError FILE_FORMAT where the file is not YAML, or names no isolation that there is: what the operator
 *   meant to fix must not be passed over
 */
export async function readZoneSettings({ root }: ZoneLayout): Promise<ZoneSettings> {
  const path = join(root, FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return { isolation: null }
    throw wrong(path, 'it cannot be read', cause)
  }
  const isolation = isolationIn(await parsed(path, text))
  if (isolation === undefined || isolation === null) return { isolation: null }
  const mode = ISOLATION_MODES.find(name => name === isolation)
  if (mode === undefined) throw wrong(path, '"isolation" is none that there is')
  return { isolation: mode }
}

async function parsed(path: string, text: string): Promise<unknown> {
  if (text.length > LIMIT) throw wrong(path, 'it is too large')
  // few zones have such a file
  const { parse } = await import('yaml')
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown
  } catch (cause) {
    throw wrong(path, 'it is not YAML', cause)
  }
}

function isolationIn(document: unknown): unknown {
  return typeof document === 'object' && document !== null && 'isolation' in document
    ? document.isolation
    : undefined
}

function wrong(path: string, detail: string, cause?: unknown): SluiceError {
  return new SluiceError('FILE_FORMAT', `${path}: ${detail}`, {
    rule: 'configuration',
    remedy: `Write one \`name: value\` a line; isolation is one of ${ISOLATION_MODES.join(', ')}.`,
    cause,
  })
}
