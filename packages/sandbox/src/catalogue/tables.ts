import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import { lookedUp } from '@sluice/core/desensitize'
import type { Progress, TableFingerprints } from '@sluice/core/plan'
import type { Policy } from '@sluice/core/policy'
import type { RegisteredTable } from '@sluice/ledger'
import { registerTable } from '../io/register-table.js'
import type { ZoneContext } from '../zone/context.js'

/** Says where the file of a table lies that a policy's rules name. */
export type TablePath = (name: string) => string

export interface RegisterTablesOptions {
  /** absent: what is registered stays */
  readonly pathOf?: TablePath
  readonly registered: readonly RegisteredTable[]
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/**
 * The tables that a policy's rules look values up in, registered: from their files where they are given, else as they
 * already are. `discard` deletes what was written where no entry names it in the end.
 *
 * @throws SluiceError FILE_MISSING where a table is neither given nor registered; what `registerTable` throws
 */
export async function registerTables(
  zone: ZoneContext,
  policy: Policy,
  { pathOf, registered, signal, onProgress }: RegisterTablesOptions,
): Promise<{ readonly tables: readonly RegisteredTable[]; discard(): Promise<void> }> {
  const tables: RegisteredTable[] = []
  const written: string[] = []
  const discard = async () => {
    for (const path of written) await rm(path, { force: true })
  }
  try {
    for (const [name, levels] of neededTables(policy)) {
      if (pathOf === undefined) {
        tables.push(registered.find(table => table.name === name) ?? missing(name))
        continue
      }
      const made = await registerTable({
        pool: await zone.engine(),
        from: pathOf(name),
        name,
        levels,
        directory: zone.layout.data,
        grade: policy.grade,
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
      })
      written.push(made.path)
      tables.push({ name, file: made.file, fingerprint: made.fingerprint })
    }
  } catch (error) {
    await discard()
    throw error
  }
  return { tables, discard }
}

export function fingerprintsOf(tables: readonly RegisteredTable[]): TableFingerprints {
  return Object.fromEntries(tables.map(({ name, fingerprint }) => [name, fingerprint]))
}

/** Paths of registered tables, by fingerprint. */
export function tablePaths(data: string, tables: readonly RegisteredTable[]): Record<string, string> {
  return Object.fromEntries(tables.map(({ file, fingerprint }) => [fingerprint, join(data, file)]))
}

/** What the rules name, and how many columns beside the values they look at. */
function neededTables(policy: Policy): Map<string, number> {
  const needed = new Map<string, number>()
  for (const { rule } of Object.values(policy.columns)) {
    const looked = rule === undefined ? null : lookedUp(rule)
    if (looked !== null) needed.set(looked.table, Math.max(looked.column, needed.get(looked.table) ?? 1))
  }
  return needed
}

function missing(name: string): never {
  throw new SluiceError(
    'FILE_MISSING',
    `a rule needs the table "${visibleText(name)}", which was not given`,
    {
      rule: 'rule.table',
      remedy: 'Put the file beside the policy, or say where it lies.',
    },
  )
}
