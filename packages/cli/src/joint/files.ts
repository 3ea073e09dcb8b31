import { dirname } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { JointJob } from '@sluice/mpc'
import type { Table } from 'apache-arrow'
import type { Context } from '../context.js'
import { parseYaml, record, textOf } from '../job.js'

const JOB_BYTES = 1 << 20
const APPROVAL_BYTES = 4096
const APPROVAL = 'sluice-joint-approval/1'

/** A joint job in YAML or JSON. @throws SluiceError FILE_MISSING, FILE_FORMAT, JOB_INVALID */
export async function readJointJob(
  context: Context,
  file: string,
  added: { readonly version?: string; readonly nonce?: string } = {},
): Promise<JointJob> {
  const { parseJob } = await import('@sluice/mpc')
  const value = await parseYaml(await context.source(file, JOB_BYTES), file)
  return parseJob({ ...record(value, file), ...added })
}

export function approvalBytes(job: string, party: string, signature: string): Uint8Array {
  const text = JSON.stringify({ version: APPROVAL, job, party, signature }, null, 2)
  return new TextEncoder().encode(`${text}\n`)
}

/** @throws SluiceError NOT_APPROVED where it is not this party's approval of this job */
export async function readApproval(
  context: Context,
  file: string,
  job: string,
  party: { readonly name: string; readonly publicKey: string },
): Promise<string> {
  const { isApproved } = await import('@sluice/mpc')
  const text = await context.source(file, APPROVAL_BYTES)
  const names = ['version', 'job', 'party', 'signature']
  const approval = record(await parseYaml(text, file), file, names)
  const [, digest, name, signature] = names.map(key => textOf(approval[key], file, key))
  if (digest === job && name === party.name && isApproved(job, name, party.publicKey, signature!))
    return signature!
  throw new SluiceError('NOT_APPROVED', `${file} is not the approval of this job by "${party.name}"`, {
    remedy: 'Read the job with `sluice joint show`, then sign it with `sluice joint approve`.',
    facts: { job },
  })
}

/** Named columns of a Parquet, Arrow or CSV file, in the order of the entity's text; of a CSV file, all as text. */
export async function readColumns(
  context: Context,
  file: string,
  entity: string,
  columns: readonly string[],
): Promise<Table> {
  const [{ readTable }, { gather }] = await Promise.all([
    import('@sluice/sandbox/io'),
    import('@sluice/core/columns'),
  ])
  const path = context.path(file)
  const select = [...new Set([entity, ...columns])]
  const table = await readTable(path, { staging: dirname(path), signal: context.signal }, async source => {
    const names = source.columns.map(({ name }) => name)
    for (const wanted of select) if (!names.includes(wanted)) throw missing(file, wanted)
    const batches: Table[] = []
    for await (const batch of source.batches(select, new Set(select))) batches.push(batch)
    const [first, ...rest] = batches
    return first?.concat(...rest)
  })
  if (table === undefined)
    throw new SluiceError('FILE_FORMAT', `${file} has no rows`, { remedy: 'Check the file.' })
  const entities = [...table.getChild(entity)!].map(String)
  const order = Uint32Array.from(entities.keys()).sort((a, b) => {
    const [left, right] = [entities[a]!, entities[b]!]
    return left < right ? -1 : left > right ? 1 : 0
  })
  return gather(table, order)
}

function missing(file: string, name: string): SluiceError {
  return new SluiceError('NAME_UNKNOWN', `${file} has no column "${name}"`, {
    rule: 'job.columns',
    remedy: 'Give the columns that the job names, by these names.',
  })
}
