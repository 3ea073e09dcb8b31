#!/usr/bin/env node
// The main job of Sluice, from an empty directory to a verified release, on real government data: five principals
// found a zone, a bureau registers two datasets, an insurer asks, the owner and a reviewer sign, the operator runs,
// and an outsider verifies. Everything is a call of the SDK; the comments name the command that does the same.
import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { isSluiceError } from '@sluice/core'
import { KeyFile } from '@sluice/ledger/keys'
import { verifyLedger, verifyReceipt } from '@sluice/ledger/verify'
import { Approver, Zone } from '@sluice/sandbox'
import { birdStrikes, flights } from '../data.mjs'
import { flipByte } from './damage.mjs'
import { bold, dim, good, heading, query, refused, released, say } from './printing.mjs'
import * as questions from './questions.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const begin = performance.now()
const root = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'sluice-demo-')))
const directory = join(root, 'zone')

heading(0, 'A zone with five principals 数据专区')
const keys = await newKeys(join(root, 'keys')) // sluice key new FILE --name NAME
const zone = await Zone.init(directory, [
  { role: 'operator', signer: keys.operator },
  { role: 'provider', signer: keys.faa },
  { role: 'auditor', signer: keys.auditor },
]) // sluice init DIR --operator FILE --provider FILE --auditor FILE
for (const [name, role] of [
  ['examiner', 'reviewer'],
  ['insurer', 'consumer'],
]) {
  const principal = { name, role, key: keys[name].publicKey }
  await zone.principals.change({ action: 'enrol', principal }, [keys.faa, keys.auditor]) // sluice principal add
}
const trust = JSON.parse(await readFile(zone.layout.trust, 'utf8'))
for (const { name, role } of zone.principals.list()) say(`${role.padEnd(9)} ${name}`)
say(
  dim(
    `their keys lie in ${join(root, 'keys')}, outside the zone; enrolments are signed by provider and auditor`,
  ),
)

for (const [name, file, policyFile] of [
  ['bird_strikes', birdStrikes, '../bird-strikes/policy.yaml'],
  ['flights', flights, 'flights.policy.yaml'],
]) {
  const started = performance.now()
  const policy = await readFile(join(here, policyFile), 'utf8')
  const dataset = await zone.datasets.add({ name, from: file, policy }, keys.faa) // sluice dataset add
  good(
    `registered ${bold(name)}: ${dataset.rows.toLocaleString('en')} rows (rounded up), grade ${dataset.grade}, in ${seconds(started)}`,
  )
}

heading(1, 'Two released tables 放行')
const first = await ask(questions.costByDamage)
await ask(questions.strikesByState)

heading(2, 'Three million flights')
await ask(questions.delaysByOrigin, 3_000_000)

heading(3, 'Three refusals, and a fourth 拒绝')
await expectRefusal(questions.refusedByGate, 'the query', submit)
await expectRefusal(
  questions.refusedByPolicy,
  'the review of the query against the policy of bird_strikes',
  submit,
)
await expectRefusal(questions.unapproved, 'the run, before anything executed', async question =>
  run(await submit(question), question),
)
say(dim('the owner tightens the policy: from now on a result with any cell that fails does not leave at all'))
const stricter = (await readFile(join(here, 'flights.policy.yaml'), 'utf8')).replace('suppress', 'refuse')
await zone.datasets.setPolicy('flights', stricter, keys.faa) // sluice policy set
await expectRefusal(
  questions.refusedByDisclosure,
  'the result, before anything of it was shown',
  async question => run(await approved(await submit(question)), question),
)

heading(4, 'The record, and an outsider who does not trust it 存证')
await zone.cosign(keys.auditor) // sluice ledger cosign --key FILE
const older = join(root, 'copy-rolled-back')
await cp(zone.layout.ledger, older, { recursive: true })
const more = await submit(questions.unapproved)
const seen = await zone.cosign(keys.auditor)
const witnesses = { ...trust, witnesses: [keys.auditor.publicKey] }

const verified = await verifyLedger(zone.layout.ledger, { trust: witnesses, since: seen }) // sluice ledger verify
good(`${verified.size} entries verified; the checkpoint is cosigned by ${verified.witnessedBy.join(', ')}`)
const receipt = JSON.parse(JSON.stringify(first.receipt))
const proven = await verifyReceipt(receipt, { trust }) // sluice ledger verify receipt.json --keys trust.json
good(`a receipt checked offline: entry ${proven.index}, in a log of ${proven.size} entries`)

const damaged = join(root, 'copy-one-byte-flipped')
await cp(zone.layout.ledger, damaged, { recursive: true })
await flipByte(damaged, receipt)
await expectFailure('one byte of a copy flipped', () =>
  verifyLedger(damaged, { trust: witnesses, since: seen }),
)
await expectFailure('a copy rolled back behind the checkpoint that the auditor cosigned', () =>
  verifyLedger(older, { trust: witnesses, since: seen }),
)

heading(5, 'Yours to go on with')
await zone.close()
const shownRoot = relative(process.cwd(), directory).startsWith('..')
  ? directory
  : relative(process.cwd(), directory)
say(`the zone is in ${bold(shownRoot)}; all of this took ${seconds(begin)}`)
say('try next:')
say(bold(`  npx sluice status --zone ${shownRoot}`))
say(bold(`  npx sluice request show ${more.id} --zone ${shownRoot}`))
say(bold(`  npx sluice ledger verify ${shownRoot} --keys ${join(shownRoot, 'trust.json')}`))

async function newKeys(folder) {
  await mkdir(folder, { mode: 0o700, recursive: true })
  const names = ['operator', 'faa', 'auditor', 'examiner', 'insurer']
  return Object.fromEntries(
    await Promise.all(
      names.map(async name => [name, await KeyFile.generate(join(folder, `${name}.key`), { name })]),
    ),
  )
}

function submit({ sql, purpose, parameters = {} }) {
  return zone.requests.submit({ sql, purpose, parameters, maxRuns: 3 }, keys.insurer) // sluice request submit
}

/** The owner and a reviewer each review the exported file on their own machine, and sign its digest. */
async function approved(request) {
  const exported = zone.requests.export(request.id) // sluice request export
  for (const signer of [keys.faa, keys.examiner]) {
    const approver = new Approver(signer)
    const reviewable = approver.review(exported)
    const signature = await approver.approve(reviewable, {
      digest: reviewable.digest,
      expires: '30d',
      maxRuns: 3,
    }) // sluice sign
    await zone.approvals.import(signature) // sluice approve
  }
  return request
}

function run(request, { values = {} }) {
  return zone.run(request.id, keys.operator, { parameters: values }) // sluice run
}

async function ask(question, rows) {
  say(bold(question.title))
  query(question.sql)
  const request = await approved(await submit(question))
  const started = performance.now()
  const release = await run(request, question)
  const took = (performance.now() - started) / 1000
  released(release)
  const rate = rows ? `, ${(rows / took / 1e6).toFixed(1)} million rows a second` : ''
  good(`released in ${took.toFixed(2)} s${rate}; receipt: entry ${release.receipt.index}\n`)
  await writeFile(join(root, `${request.id}.receipt.json`), JSON.stringify(release.receipt))
  return release
}

async function expectRefusal(question, place, attempt) {
  say(bold(question.title))
  query(question.sql)
  const error = await attempt(question).catch(thrown => thrown)
  if (!isSluiceError(error))
    throw error instanceof Error ? error : new Error('this query should have been refused')
  refused(error, place)
  console.log()
}

async function expectFailure(title, attempt) {
  say(bold(title))
  const error = await attempt().catch(thrown => thrown)
  if (!isSluiceError(error)) throw error instanceof Error ? error : new Error('the verifier did not notice')
  const { entry } = error.facts ?? {}
  refused(error, entry === undefined ? 'the checkpoint' : `entry ${entry} of the copy`)
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
