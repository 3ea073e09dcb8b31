// Twelve districts, three programmes, one city: each district encrypts what it paid, a computing centre adds, the
// auditor adds again, and the treasury opens the approved total. Then the same with a district that doubles its file,
// with a value out of range, and with a foreign key: each is refused by name.
//
//   node run.mjs [DIRECTORY]
import { mkdtemp, open, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import {
  add,
  aggregationBytes,
  aggregationDigest,
  audit,
  cellsOf,
  contribute,
  createAggregation,
  HE_ENGINE,
  HeExecutor,
  parseAggregation,
} from '@sluice/core/he'
import { receiptBytes } from '@sluice/ledger'
import { KeyFile, OpeningKey, parseVerifierKey, verifySignature } from '@sluice/ledger/keys'
import { Approver, readRequestExport, Zone } from '@sluice/sandbox'
import { Int64, Table, tableFromIPC, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'

const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'sluice-subsidies-')))
const at = name => join(folder, name)
// of the treasury, in a file that nobody else can read
const PASSPHRASE = 'correct horse battery staple'
const PROGRAMMES = ['housing', 'farming', 'school']
const DISTRICTS = Array.from({ length: 12 }, (_, index) => `district-${String(index + 1).padStart(2, '0')}`)
const SQL = 'SELECT programme, sum(amount) AS total, count(*) AS grants FROM subsidies GROUP BY programme'
const POLICY = `version: 1
owner: bureau
grade: 1
entity: row
disclosure: {minimumEntities: 10}
purposes: [statistics]
consumers: [finance]
columns:
  programme: {role: attribute, uses: [group], values: public}
  amount: {role: measure, uses: [aggregate]}
`

// everybody has a key of their own
const keys = {}
for (const name of ['treasury', 'bureau', 'auditor', 'finance', 'centre', ...DISTRICTS, 'foreign']) {
  // the foreign key calls itself like a district
  keys[name] = await KeyFile.generate(at(`${name}.key`), { name: name === 'foreign' ? DISTRICTS[0] : name })
}
const party = name => ({ name, key: keys[name].publicKey })
const verify = (key, bytes, signature) => verifySignature(parseVerifierKey(key), bytes, signature)

// the treasury's zone knows the table's schema and policy, from a specimen: no district's rows ever come there
await writeFile(at('specimen.csv'), 'programme,amount\nhousing,1\nfarming,2\n')
const zone = await Zone.init(at('zone'), [
  { role: 'operator', signer: keys.treasury },
  { role: 'provider', signer: keys.bureau },
  { role: 'auditor', signer: keys.auditor },
])
const finance = { name: 'finance', role: 'consumer', key: keys.finance.publicKey }
await zone.principals.change({ action: 'enrol', principal: finance }, [keys.bureau, keys.auditor])
await zone.datasets.add({ name: 'subsidies', from: at('specimen.csv'), policy: POLICY }, keys.bureau)

// the key holder: parameters from the declared ranges, and a key pair for this one total
const query = { sql: SQL, purpose: 'statistics' }
const round = await createAggregation({
  reviewed: await zone.requests.preview(query, 'finance'),
  groups: { kind: 'list', keys: PROGRAMMES.map(name => [name]) },
  columns: { amount: { minimum: '0', maximum: '500000' } },
  rowsPerGroup: 1000,
  contributors: DISTRICTS.map(party),
  minimumContributors: 10,
  keyHolder: party('treasury'),
  adder: party('centre'),
  auditor: party('auditor'),
})
await OpeningKey.write(at('secret.key'), round.secretKey, { passphrase: PASSPHRASE })
await writeFile(at('public.key'), round.publicKey)
await writeFile(at('aggregation.json'), aggregationBytes(round.aggregation))

// the consumer asks, the owner of the data approves: the contributors, the groups and the public key with it
const digest = aggregationDigest(round.aggregation)
const request = await zone.requests.submit(
  { ...query, aggregation: { engine: HE_ENGINE, digest } },
  keys.finance,
)
const approver = new Approver(keys.bureau)
const approval = await approver.approve(readRequestExport(zone.requests.export(request.id)), {
  digest: request.digest,
})
await zone.approvals.import(approval)

// the districts: rows in a file of their own, a signed ciphertext out
const paid = new Map(PROGRAMMES.map(name => [name, 0n]))
for (const [index, district] of DISTRICTS.entries()) {
  const rows = Array.from({ length: 40 }, (_, row) => ({
    programme: PROGRAMMES[(row + index) % 3],
    amount: BigInt((row * 7919 + index * 104_729) % 500_001),
  }))
  for (const { programme, amount } of rows) paid.set(programme, paid.get(programme) + amount)
  await writeRows(at(`${district}.arrow`), rows)
  await encrypt(district, `${district}.arrow`, `${district}.he`)
}
console.log(`${DISTRICTS.length} districts encrypted`)

// the centre adds, the auditor adds again; neither has a key to the data
await adding(
  DISTRICTS.map(name => `${name}.he`),
  'sum.he',
)
const audited = await withSources(
  ['sum.he', ...DISTRICTS.map(name => `${name}.he`)],
  ([sum, ...contributions]) => audit(round.aggregation, { sum, contributions, signer: keys.auditor, verify }),
)
console.log('the centre’s sum is that of the twelve contributions, byte for byte')

// the treasury opens, once, what was approved; the total leaves through the check and the ledger
const release = await withSources(['sum.he'], async ([sum]) => {
  const { secretKey, claim } = await OpeningKey.open(at('secret.key'), { passphrase: PASSPHRASE })
  const inputs = { aggregation: round.aggregation, sum, audit: audited, secretKey, verify, claim }
  const execute = (approved, bytes, options) =>
    new HeExecutor().execute(approved, { ...inputs, request: bytes }, options)
  return zone.run(request.id, keys.treasury, { engine: { engine: HE_ENGINE, execute } })
})
await writeFile(at('receipt.json'), receiptBytes(release.receipt))
for (const { programme, total, grants } of release.table.toArray().map(row => row.toJSON())) {
  const units = BigInt.asIntN(
    128,
    [...total].reduceRight((value, word) => (value << 32n) | BigInt(word), 0n),
  )
  const same = units === paid.get(programme) ? 'as the districts paid' : 'WRONG'
  console.log(`${programme}: ${units} in ${grants} grants, ${same}`)
}
console.log(`released as entry ${release.receipt.index}; its receipt is ${at('receipt.json')}`)
await zone.close()

// what goes wrong is refused by name
await refused('a district doubles its file', () =>
  adding(
    [...DISTRICTS, 'district-07'].map(name => `${name}.he`),
    'twice.he',
  ),
)
await writeRows(at('high.arrow'), [{ programme: 'housing', amount: 500_001n }])
await refused('a value out of range', () => encrypt('district-05', 'high.arrow', 'high.he'))
await refused('a foreign key', () => encrypt('foreign', 'district-01.arrow', 'foreign.he'))

/** A district's machine: it has the aggregation, the public key, its own key and its own rows. */
async function encrypt(name, file, out) {
  const aggregation = parseAggregation(await readFile(at('aggregation.json')))
  const cells = cellsOf(aggregation, tableFromIPC(await readFile(at(file))).batches)
  const input = { publicKey: await readFile(at('public.key')), signer: keys[name], cells }
  await withSink(out, sink => contribute(aggregation, input, sink))
}

function adding(files, out) {
  return withSources(files, contributions =>
    withSink(out, sink => add(round.aggregation, { contributions, signer: keys.centre, verify }, sink)),
  )
}

async function refused(what, action) {
  try {
    await action()
  } catch (error) {
    if (!isSluiceError(error)) throw error
    console.log(`${what}: ${error.code} ${error.rule}: ${error.message}`)
    return
  }
  throw new Error(`${what} was not refused`)
}

function writeRows(path, rows) {
  const table = new Table({
    programme: vectorFromArray(
      rows.map(row => row.programme),
      new Utf8(),
    ),
    amount: vectorFromArray(
      rows.map(row => row.amount),
      new Int64(),
    ),
  })
  return writeFile(path, tableToIPC(table, 'file'))
}

async function withSources(names, work) {
  const files = await Promise.all(names.map(name => open(at(name), 'r')))
  try {
    const sources = await Promise.all(
      files.map(async (file, index) => ({
        name: names[index],
        size: (await file.stat()).size,
        read: async (offset, length) => {
          const bytes = new Uint8Array(length)
          await file.read(bytes, 0, length, offset)
          return bytes
        },
      })),
    )
    return await work(sources)
  } finally {
    await Promise.all(files.map(file => file.close()))
  }
}

async function withSink(name, work) {
  const file = await open(at(name), 'w', 0o600)
  try {
    await work({ write: async (offset, bytes) => void (await file.write(bytes, 0, bytes.length, offset)) })
  } finally {
    await file.close()
  }
}
