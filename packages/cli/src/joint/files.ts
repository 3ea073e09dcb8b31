import { dirname, join } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { KeyFile } from '@sluice/ledger/keys'
import type { InputForm, JointInput, JointJob } from '@sluice/mpc'
import type { Context } from '../context.js'
import { parseYaml, record, textOf, wrong } from '../job.js'

const JOB_BYTES = 1 << 22
const APPROVAL_BYTES = 4096
const APPROVAL = 'sluice-joint-approval/1'
const DRAFT = ['purpose', 'sharing', 'parties', 'inputs', 'operations', 'minimumEntities', 'limits']
const LIMITS = { seconds: 3600, bytes: 2 ** 36, memory: 2 ** 31 }

/** A job as `init` wrote it. @throws SluiceError FILE_MISSING, FILE_FORMAT, JOB_INVALID */
export async function readJointJob(context: Context, file: string): Promise<JointJob> {
  const { parseJob } = await import('@sluice/mpc')
  return parseJob(await parseYaml(await context.source(file, JOB_BYTES), file))
}

/** A description of an input by its owner. @throws SluiceError FILE_MISSING, FILE_FORMAT, JOB_INVALID */
export async function readInputForm(context: Context, file: string): Promise<InputForm> {
  const { parseInputForm } = await import('@sluice/mpc')
  return parseInputForm(await parseYaml(await context.source(file, JOB_BYTES), file))
}

/**
 * A draft: the job with `sql` for each operation's plan, and inputs as `{file}` where their owners described them in a
 * file of their own. What it does not say of limits stands here.
 *
 * @throws SluiceError FILE_MISSING, FILE_FORMAT, JOB_INVALID, and what understanding the SQL throws
 */
export async function readDraft(context: Context, file: string): Promise<JointJob> {
  const { freshJob, ofOperation, parseJob, schemaOf } = await import('@sluice/mpc')
  const draft = record(await parseYaml(await context.source(file, JOB_BYTES), file), file, DRAFT)
  const inputs: unknown[] = []
  for (const input of listOf(draft['inputs'], file, 'inputs')) {
    const given = record(input, file)
    if (given['file'] === undefined) inputs.push(given)
    else {
      const path = join(dirname(file), textOf(given['file'], file, 'file'))
      inputs.push(await parseYaml(await context.source(path, JOB_BYTES), path))
    }
  }
  const { Gate } = await import('@sluice/sandbox/sql')
  const gate = await Gate.start()
  try {
    const catalogue = inputs.map(input => {
      const { name, entity, columns } = input as JointInput
      // whatever is wrong with a column, the job's own check says it
      const known = typeof entity === 'string' && Array.isArray(columns) ? schemaOf({ entity, columns }) : []
      return { name: String(name), columns: known }
    })
    const operations: unknown[] = []
    for (const given of listOf(draft['operations'], file, 'operations')) {
      const { sql, ...operation } = record(given, file)
      if (sql === undefined) {
        operations.push(operation)
        continue
      }
      const name = visibleText(textOf(operation['name'], file, 'name'))
      const text = textOf(sql, file, 'sql')
      const source = `${file}, ${name}`
      context.sources.add(source, text)
      context.sources.query = source
      try {
        const { plan } = await gate.compile({ sql: text, catalogue, signal: context.signal })
        operations.push({ ...operation, plan })
      } catch (error) {
        throw ofOperation(name, error)
      }
    }
    const limits = { ...LIMITS, ...(draft['limits'] as object | undefined) }
    return parseJob({ ...draft, inputs, operations, limits, ...freshJob() })
  } finally {
    await gate.close()
  }
}

interface Speaking {
  readonly keyFile?: string
  readonly as?: string
}

/** Where the key of the party lies that this command speaks for: `--key-file`, else `NAME.key` of `--as NAME`. */
export function partyKeyPath(context: Context, { keyFile, as }: Speaking): string {
  const path = keyFile ?? context.settings.key ?? (as === undefined ? undefined : `${as}.key`)
  if (path !== undefined) return path
  throw new SluiceError('USAGE', 'this command needs a key', {
    remedy: 'Say which party this is with --as NAME, or name its key with --key-file FILE.',
  })
}

export async function partyKey(context: Context, speaking: Speaking): Promise<KeyFile> {
  const signer = await context.key(partyKeyPath(context, speaking))
  const { as } = speaking
  if (as === undefined || signer.name === as) return signer
  throw new SluiceError(
    'KEY_UNKNOWN',
    `the key is that of "${signer.name}", and not of "${visibleText(as)}"`,
    {
      remedy: 'Name the party’s own key with --key-file FILE.',
    },
  )
}

export function approvalFile(job: string, party: string): string {
  return `${job}.${party}.approval`
}

export function approvalBytes(job: string, party: string, signature: string): Uint8Array {
  const text = JSON.stringify({ version: APPROVAL, job, party, signature }, null, 2)
  return new TextEncoder().encode(`${text}\n`)
}

/**
 * @param of the job's file, as the person named it
 * @throws SluiceError NOT_APPROVED where there is none, or it is not this party's approval of this job
 */
export async function readApproval(
  context: Context,
  file: string,
  { of, digest: job }: { readonly of: string; readonly digest: string },
  party: { readonly name: string; readonly publicKey: string },
): Promise<string> {
  const { isApproved } = await import('@sluice/mpc')
  const text = await approvalText(context, file, party.name, {
    rule: 'joint.approval',
    remedy: `Read the job with \`sluice joint show\`, then sign it with \`sluice joint approve ${of} --as ${party.name}\`.`,
  })
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

/** An approval's file. @throws SluiceError NOT_APPROVED where there is none */
export async function approvalText(
  context: Context,
  file: string,
  party: string,
  how: { readonly rule: string; readonly remedy: string },
): Promise<string> {
  try {
    return await context.source(file, APPROVAL_BYTES)
  } catch (cause) {
    const { cause: reason } = cause as { cause?: NodeJS.ErrnoException }
    if (reason?.code !== 'ENOENT') throw cause
    const said = `there is no approval of this job by "${visibleText(party)}" at ${visibleText(file)}`
    throw new SluiceError('NOT_APPROVED', said, { ...how, cause })
  }
}

function listOf(value: unknown, file: string, key: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(file, `"${key}" has to be a list`, `Write ${key}: and its parts below, each after a dash.`)
}
