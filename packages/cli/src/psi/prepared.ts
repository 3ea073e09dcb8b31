import type { FileHandle } from 'node:fs/promises'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { OprfKey } from '@sluice/ledger/keys'
import type { PreparedFile } from '@sluice/mpc'
import type { Normalization, PreparedColumns, PsiJob } from '@sluice/mpc/psi'
import type { Table } from 'apache-arrow'
import type { Context } from '../context.js'
import { asText, requireColumns, withTable } from './input.js'

/** Where the key of a prepared set lies unless it is said: beside the party's. */
export function oprfKeyPath(context: Context, partyKey: string, named: string | undefined): string {
  return named === undefined ? `${partyKey}.oprf` : context.path(named)
}

/** The columns of a key, and how each is brought to one form: a list of rules for all of them, or one for each. */
export async function columnsOf(
  names: readonly string[],
  rules: readonly string[] = [],
): Promise<PreparedColumns> {
  const { NORMALIZATIONS } = await import('@sluice/mpc/psi')
  const lists = rules.map(list => list.split(',').map(rule => rule.trim()))
  const unknown = lists.flat().find(rule => !(NORMALIZATIONS as readonly string[]).includes(rule))
  if (unknown !== undefined) {
    throw new SluiceError('USAGE', `"${unknown}" is no rule by which keys are brought to one form`, {
      remedy: `Name some of ${NORMALIZATIONS.join(', ')}.`,
    })
  }
  if (lists.length > 1 && lists.length !== names.length) {
    throw new SluiceError('USAGE', 'there are not as many lists of rules as columns of the key', {
      remedy: 'Give --normalize once for all columns, or once for each --key in its order.',
    })
  }
  return names.map((name, i) => ({
    name,
    normalize: (lists.length === 1 ? lists[0]! : (lists[i] ?? [])) as Normalization[],
  }))
}

/** What a job gets of the prepared set that its draft names the owner of. @throws SluiceError JOB_INVALID */
export async function preparedInDraft(
  context: Context,
  draft: Readonly<Record<string, unknown>>,
  file: string,
): Promise<Pick<PsiJob, 'prepared' | 'key'>> {
  const { preparedOf } = await import('@sluice/mpc/psi')
  const { owner } = (draft['prepared'] ?? {}) as { readonly owner?: unknown }
  if (typeof owner !== 'string') {
    throw new SluiceError('JOB_INVALID', 'the draft does not say whose the prepared set is', {
      rule: 'psi.prepared',
      remedy: 'Write prepared: {owner: NAME} in it; the rest is taken from the file.',
    })
  }
  const part = await withPrepared(context, file, async ({ head }) => preparedOf(head, owner))
  const { canonicalBytes } = await import('@sluice/core')
  const key = draft['key'] ?? part.key
  if (Buffer.from(canonicalBytes(key)).equals(canonicalBytes(part.key))) return part
  throw new SluiceError('JOB_INVALID', 'the draft’s key is not the one that the set was prepared by', {
    rule: 'psi.prepared',
    remedy: 'Leave it out of the draft: it is taken from the file.',
  })
}

/** A prepared set, closed again. @throws SluiceError FILE_MISSING, FILE_FORMAT */
export async function withPrepared<T>(
  context: Context,
  file: string,
  use: (set: PreparedFile) => Promise<T>,
): Promise<T> {
  const { PreparedFile } = await import('@sluice/mpc/intersections')
  const set = await PreparedFile.open(context.path(file))
  try {
    return await use(set)
  } finally {
    await set.close()
  }
}

export interface Naming {
  readonly prepared?: string
  readonly oprfKey?: string
}

/** What a party needs for a job with a prepared set: the owner its key, the other the file. @throws SluiceError USAGE */
export async function withSide<T>(
  context: Context,
  job: PsiJob,
  party: { readonly name: string; readonly path: string },
  naming: Naming,
  use: (side: {
    readonly key?: OprfKey
    readonly currentKey?: () => Promise<OprfKey>
    readonly set?: PreparedFile
  }) => Promise<T>,
): Promise<T> {
  if (job.prepared === undefined) {
    requireNoSide(naming)
    return use({})
  }
  const { prepared, oprfKey } = naming
  if (party.name === job.prepared.owner) {
    const { OprfKey } = await import('@sluice/ledger/keys')
    const currentKey = () => OprfKey.open(oprfKeyPath(context, party.path, oprfKey))
    return use({ key: await currentKey(), currentKey })
  }
  if (prepared === undefined) {
    throw new SluiceError('USAGE', 'this party tests against a prepared set', {
      remedy: 'Name its file with --prepared FILE.',
    })
  }
  return withPrepared(context, prepared, set => use({ set }))
}

/** For a job without a prepared set. @throws SluiceError USAGE */
export function requireNoSide({ prepared, oprfKey }: Naming): void {
  if (prepared === undefined && oprfKey === undefined) return
  throw new SluiceError('USAGE', 'this job has no prepared set', {
    remedy: 'Leave --prepared and --oprf-key away.',
  })
}

/** Is it what the job names, to the last byte where it is a file? */
export async function checkSide(
  context: Context,
  job: PsiJob,
  party: string,
  { key, set }: { readonly key?: OprfKey; readonly set?: PreparedFile },
): Promise<void> {
  const { checkPreparedSide, loadRistretto } = await import('@sluice/mpc/psi')
  const side = key !== undefined ? { key } : set && { head: set.head }
  checkPreparedSide(job, party, side, await loadRistretto(), context.io.now())
  await set?.verify(context.signal)
}

/** Does the file begin as a prepared set? What cannot be read at all is none: whoever reads it as a job says why. */
export async function isPreparedFile(context: Context, file: string): Promise<boolean> {
  const { open } = await import('node:fs/promises')
  const { HEAD_BYTES, isPrepared } = await import('@sluice/mpc/psi')
  let handle: FileHandle | undefined
  try {
    handle = await open(context.path(file), 'r')
    const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return isPrepared(buffer.subarray(0, bytesRead))
  } catch (error) {
    // the system's word on the file, which is read again at once; anything else is a fault of ours
    if (typeof (error as NodeJS.ErrnoException).syscall === 'string') return false
    throw error
  } finally {
    await handle?.close()
  }
}

/** The key of a set, made where there is none. */
export async function keyOfSet(
  path: string,
  expires: string,
): Promise<{ readonly key: OprfKey; readonly made: boolean }> {
  const { OprfKey } = await import('@sluice/ledger/keys')
  try {
    return { key: await OprfKey.open(path), made: false }
  } catch (error) {
    if (!isSluiceError(error) || error.code !== 'FILE_MISSING') throw error
    const { loadRistretto, newPreparedKey, publicHalf } = await import('@sluice/mpc/psi')
    const group = await loadRistretto()
    const drawn = newPreparedKey(group)
    const content = { ...drawn, key: publicHalf(drawn, group), expires, retired: [] }
    return { key: await OprfKey.write(path, content), made: true }
  }
}

/** Reads the keys of a file: see `prepareSet`. */
export function readerOf(
  context: Context,
  file: string,
  names: readonly string[],
  began: (rows: number) => Promise<void>,
) {
  return <T>(use: (rows: number, batches: AsyncIterable<Table>) => Promise<T>) =>
    withTable(context, file, async table => {
      requireColumns(table, file, names)
      await began(table.rows)
      return use(table.rows, table.batches(names, asText(table, names)))
    })
}
