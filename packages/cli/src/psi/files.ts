import { dirname, join, parse } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { KeyFile } from '@sluice/ledger/keys'
import type { PsiApproval, PsiJob } from '@sluice/mpc/psi'
import type { Context } from '../context.js'
import { parseYaml, record } from '../job.js'
import { approvalText } from '../joint/files.js'

const JOB_BYTES = 1 << 20
const APPROVAL = 'sluice-psi-approval/1'

/**
 * A job of private set intersection in YAML or JSON.
 *
 * @param prepared the prepared set that completes a draft
 * @throws SluiceError FILE_MISSING, FILE_FORMAT, JOB_INVALID
 */
export async function readPsiJob(
  context: Context,
  file: string,
  added: { readonly version?: string; readonly nonce?: string } = {},
  prepared?: string,
): Promise<PsiJob> {
  const { parsePsiJob } = await import('@sluice/mpc/psi')
  const value = record(await parseYaml(await context.source(file, JOB_BYTES), file), file)
  const { preparedInDraft } = await import('./prepared.js')
  if (value['version'] === undefined && added.version === undefined) throw draftAlone(file)
  const filled = prepared === undefined ? {} : await preparedInDraft(context, value, prepared)
  return parsePsiJob({ ...value, ...filled, ...added })
}

function draftAlone(file: string): SluiceError {
  return new SluiceError('JOB_INVALID', `${file} is a draft, and no job that could be signed`, {
    rule: 'psi.job',
    remedy: 'Make a job of it with `sluice psi init`, and give that to every party.',
  })
}

/** The key that is named, else the user's, else the one named after the party beside the job; and where it lies. */
export async function partyKey(
  context: Context,
  job: string,
  as: string,
  keyFile: string | undefined,
): Promise<{ readonly signer: KeyFile; readonly path: string }> {
  const path = keyFile ?? context.settings.key ?? join(dirname(job), `${as}.key`)
  const signer = await context.key(path)
  if (signer.name === as) return { signer, path: context.path(path) }
  throw new SluiceError('KEY_UNKNOWN', `${path} is the key of "${signer.name}", not of "${as}"`, {
    remedy: 'Name the party’s key with --key-file FILE or SLUICE_KEY_FILE.',
  })
}

/** @throws SluiceError KEY_UNKNOWN where the key is not that of a party */
export function requireParty(job: PsiJob, signer: KeyFile): void {
  if (job.parties.some(({ name, key }) => name === signer.name && key === signer.publicKey)) return
  throw new SluiceError('KEY_UNKNOWN', `the key of "${signer.name}" is not that of a party of this job`, {
    remedy: 'Use the key that the job names, or have the job made again with this one.',
  })
}

/** Where a party’s approval of a job goes unless it is said: beside the job. */
export function approvalPath(job: string, as: string): string {
  const { dir, name } = parse(job)
  return join(dir, `${name}.${as}.approval`)
}

export function approvalBytes(approval: PsiApproval): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ version: APPROVAL, ...approval }, null, 2)}\n`)
}

/** What is in it is checked by `checkPsiApproval`. @throws SluiceError FILE_FORMAT, NOT_APPROVED */
export async function readApproval(
  context: Context,
  file: string,
  { of, as }: { readonly of: string; readonly as: string },
): Promise<PsiApproval> {
  const names = ['version', 'job', 'party', 'signature', 'input']
  const text = await approvalText(context, file, as, {
    rule: 'psi.approval',
    remedy: `Read the job with \`sluice psi show\`, then sign it with \`sluice psi approve ${of} --as ${as}\`.`,
  })
  const { version, input, ...approval } = record(await parseYaml(text, file), file, names)
  const whole =
    version === APPROVAL &&
    allTexts(approval, ['job', 'party', 'signature']) &&
    (input === undefined || isCommitment(record(input, file, ['salt', 'commitment', 'size', 'signature'])))
  if (whole) return { ...approval, ...(input !== undefined && { input }) } as unknown as PsiApproval
  throw new SluiceError('NOT_APPROVED', `${file} is no approval of an intersection`, {
    remedy: 'Sign the job with `sluice psi approve`, and give the file that it wrote.',
  })
}

function isCommitment(input: Readonly<Record<string, unknown>>): boolean {
  return (
    allTexts(input, ['signature']) &&
    [input['salt'], input['commitment']].every(
      hex => typeof hex === 'string' && /^[0-9a-f]{64}$/.test(hex),
    ) &&
    Number.isSafeInteger(input['size'])
  )
}

function allTexts(record: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every(name => typeof record[name] === 'string')
}
