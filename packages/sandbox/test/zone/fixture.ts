import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { type ApproveOptions, Approver, type RequestDraft, Zone, type ZoneOptions } from '@sluice/sandbox'
import { onTestFinished } from 'vitest'

/** Keys of everybody, outside the zone, made once for a test file. */
export interface Keys {
  readonly operator: KeyFile
  readonly provider: KeyFile
  readonly auditor: KeyFile
  readonly reviewer: KeyFile
  readonly consumer: KeyFile
  readonly stranger: KeyFile
}

export async function makeKeys(): Promise<Keys> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-keys-'))
  const make = (name: string) => KeyFile.generate(join(folder, `${name}.key`), { name })
  const keys = {
    operator: await make('operator'),
    provider: await make('bureau'),
    auditor: await make('auditor'),
    reviewer: await make('examiner'),
    consumer: await make('bank'),
    stranger: await make('stranger'),
  }
  await rm(folder, { recursive: true })
  return keys
}

/** A temporary directory that is gone when the test is. */
export async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-zone-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** 40 people in two towns, two payments each; one of them dominates the second town. */
export function paymentsCsv(): string {
  const lines = ['person,town,year,amount']
  for (let person = 0; person < 40; person++) {
    const town = person < 30 ? 'north' : 'south'
    for (const year of [2000, 2001])
      lines.push(`p${person},${town},${year},${person === 39 ? 100_000 : 100 + person}`)
  }
  return `${lines.join('\n')}\n`
}

export const POLICY = `version: 1
owner: bureau
standard: GB/T 43697-2024
grade: '2'
entity: { column: person }
release: aggregate
disclosure:
  minimumEntities: 5
  dominance: { n: 1, percent: 60 }
  onFailure: suppress
approvals: { reviewer: true }
purposes: [credit-risk]
consumers: [bank]
columns:
  person: { role: identifier, grade: '2', uses: [] }
  town: { role: quasi, grade: '1', uses: [group, filter], values: public }
  year: { role: attribute, grade: '1', uses: [group, filter], values: public }
  amount: { role: measure, grade: '2', uses: [aggregate] }
`

export const BY_TOWN: RequestDraft = {
  sql: 'SELECT town, count(*) AS payments, sum(amount) AS total FROM payments WHERE year >= $since GROUP BY town ORDER BY town',
  purpose: 'credit-risk',
  parameters: [
    { name: 'since', type: { kind: 'integer', bits: 32, signed: true }, minimum: '1990', maximum: '2002' },
  ],
  maxRuns: 5,
}

export interface ZoneFixture {
  readonly zone: Zone
  readonly directory: string
  /** asks, has the owner and the reviewer sign, imports both */
  approved(draft?: RequestDraft, options?: Partial<ApproveOptions>): Promise<string>
}

/** A zone with its five principals and the dataset `payments`. */
export async function makeZone(keys: Keys, options: ZoneOptions = {}): Promise<ZoneFixture> {
  const folder = await temporary()
  const directory = join(folder, 'zone')
  const zone = await Zone.init(
    directory,
    [
      { role: 'operator', signer: keys.operator },
      { role: 'provider', signer: keys.provider },
      { role: 'auditor', signer: keys.auditor },
    ],
    { engine: { mode: 'process', warm: 0 }, ...options },
  )
  onTestFinished(() => zone.close())
  for (const [signer, role] of [
    [keys.reviewer, 'reviewer'],
    [keys.consumer, 'consumer'],
  ] as const) {
    const principal = { name: signer.name, role, key: signer.publicKey }
    await zone.principals.change({ action: 'enrol', principal }, [keys.provider, keys.auditor])
  }
  const from = join(folder, 'payments.csv')
  await writeFile(from, paymentsCsv())
  await zone.datasets.add({ name: 'payments', from, policy: POLICY }, keys.provider)
  const approved = async (draft = BY_TOWN, approveOptions: Partial<ApproveOptions> = {}) => {
    const { id } = await zone.requests.submit(draft, keys.consumer)
    for (const signer of [keys.provider, keys.reviewer]) {
      await zone.approvals.import(await signed(zone, id, signer, options, approveOptions))
    }
    return id
  }
  return { zone, directory, approved }
}

/** What an approver does on their own machine. */
export async function signed(
  zone: Zone,
  id: string,
  signer: KeyFile,
  options: ZoneOptions = {},
  approveOptions: Partial<ApproveOptions> = {},
): Promise<Uint8Array> {
  const approver = new Approver(signer, { ...(options.now && { now: options.now }) })
  const request = approver.review(zone.requests.export(id))
  return approver.approve(request, { digest: request.digest, ...approveOptions })
}
