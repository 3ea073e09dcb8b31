// A social security office opens its register of residents: it is classified, a person edits the draft policy, the
// data is desensitized with a secret that stays with the office, an extract is anonymized, and a university's query runs
// in a data zone on what is left. Its people do not exist. The comments name the command that does the same.
//
//   node run.mjs [DIRECTORY]
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '@sluice/core'
import { parseAnonymizeConfig } from '@sluice/core/anonymize'
import { classify, draftPolicy } from '@sluice/core/classify'
import { arrowSchemaOf } from '@sluice/core/columns'
import { parsePolicy, treatmentsOf } from '@sluice/core/policy'
import { receiptBytes } from '@sluice/ledger'
import { KeyFile, SecretFile } from '@sluice/ledger/keys'
import { parseTrust, verifyReceipt } from '@sluice/ledger/verify'
import { Approver, readRequestExport, Zone } from '@sluice/sandbox'
import { desensitizeFile } from '@sluice/sandbox/desensitize'
import { anonymizeFile, readTable } from '@sluice/sandbox/io'
import { good, heading, query, released, say } from '../demo/printing.mjs'
import { changesOf } from './changes.mjs'
import { registerCsv } from './register.mjs'
import { excerpt, grid, number, percent, ruleText } from './showing.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'sluice-register-')))
const at = name => join(folder, name)
const beside = name => readFile(join(here, name), 'utf8')
const OWNER = 'social-security'

await writeFile(at('residents.csv'), registerCsv(5000), { mode: 0o600 })

heading(1, 'What the register holds, as its columns tell 分类分级') // sluice classify residents.csv --full --policy-out …
const classification = await classifyCsv(at('residents.csv'))
grid(
  ['column', 'holds', 'role', 'grade', 'uses', 'suggested rule', 'confidence'],
  classification.columns.map(({ name, entity, role, grade, uses, rule }) => [
    name,
    entity?.label.en ?? 'not recognized',
    role,
    grade,
    uses.join(', ') || 'none',
    ruleText(rule),
    entity === null ? '–' : percent(entity.confidence),
  ]),
  1,
)
const draft = draftPolicy(classification, { owner: OWNER })
await writeFile(at('draft.policy.yaml'), draft)
say('the draft policy:')
excerpt(draft, 80)

heading(2, 'What a person changed in the draft 核对') // the edited draft is policy.yaml, beside this file
const policyText = await beside('policy.yaml')
const policy = parsePolicy(policyText, { source: 'policy.yaml' }) // sluice policy check policy.yaml
grid(
  ['of', 'key', 'in the draft', 'as edited'],
  changesOf(parsePolicy(draft, { source: 'draft.policy.yaml' }), policy),
)

heading(3, 'Desensitized with a secret 脱敏')
const secret = await SecretFile.generate(at('register.secret')) // sluice key new register.secret --for desensitize
say(`the secret ${secret.id} stays with ${OWNER}: neither the zone nor its operator ever has it`)
// sluice desensitize residents.csv --policy policy.yaml --secret register=register.secret --out outside.csv
await desensitize('outside', 'outside.csv', 'for a reader outside, every rule is applied:')
excerpt(await readFile(at('outside.csv'), 'utf8'), 4)
// the same with --for-zone --out zone.parquet
await desensitize(
  'zone',
  'zone.parquet',
  'for the zone, what its scans cannot do; masks are left to every scan:',
)
say(
  'so names stand as they are in the zone’s file: their mask keeps them from consumers, not from the operator',
)

heading(4, 'An extract in which nobody is alone 匿名化') // sluice anonymize residents.csv --config anonymize.yaml --out …
await anonymize()

heading(5, 'The desensitized file in a new zone 数据专区')
const keys = {}
for (const name of ['operator', OWNER, 'auditor', 'examiner', 'university']) {
  keys[name] = await KeyFile.generate(at(`${name}.key`), { name }) // sluice key new FILE --name NAME
}
const zone = await foundZone()
const dataset = await zone.datasets.add(
  { name: 'residents', from: at('zone.parquet'), policy: policyText },
  keys[OWNER],
) // sluice dataset add
good(`registered ${dataset.name}, version ${dataset.version}, grade ${dataset.grade}`)
say(`its columns: ${dataset.columns.map(({ name }) => name).join(', ')}`)

heading(6, 'An approved query, released with its receipt 放行')
await answer(`SELECT district, sex, count(*) AS people, avg(pension) AS mean_pension
FROM residents
GROUP BY district, sex
ORDER BY district, sex`)
await zone.close()
say(`everything lies in ${folder}`)

/** A CSV file's fields are taken as the text that stands there: what they mean is for the recognizers to say. */
function classifyCsv(path) {
  return readTable(path, { staging: folder }, table => {
    const asText = new Set(table.columns.map(({ name }) => name))
    const schema = arrowSchemaOf(table.columns.map(column => ({ ...column, type: { kind: 'text' } })))
    const types = new Map(table.columns.map(({ name, type }) => [name, type]))
    return classify(schema, batchesOf(table.batches(undefined, asText)), { types })
  })
}

async function* batchesOf(tables) {
  for await (const { batches } of tables) yield* batches
}

async function desensitize(destination, file, title) {
  const { rows, report, dropped } = await desensitizeFile({
    from: at('residents.csv'),
    to: at(file),
    format: file.endsWith('.csv') ? 'csv' : 'parquet',
    treatments: treatmentsOf(policy, destination),
    dataset: 'residents',
    forZone: destination === 'zone',
    key: name => {
      if (name === 'register') return secret.secret
      throw new SluiceError('KEY_INVALID', `no secret is called ${name}`, { rule: 'rule.key' })
    },
    table: name => {
      throw new SluiceError('FILE_MISSING', `there is no table ${name}`)
    },
  })
  say(`${title} ${file}, ${number(rows)} rows`)
  grid(
    ['column', 'rule', 'changed', 'hidden whole', 'as before'],
    [
      ...report.map(({ column, kind, counts: { changed, hidden, fixedPoints } }) => [
        column,
        kind === 'keep' ? 'kept as it is' : kind,
        ...[changed, hidden, fixedPoints].map(number),
      ]),
      ...dropped.map(({ column, said }) => [
        column,
        said ? 'drop' : 'dropped: nothing said',
        ...Array(3).fill('–'),
      ]),
    ],
    3,
  )
}

async function anonymize() {
  const config = parseAnonymizeConfig(await beside('anonymize.yaml'), { source: 'anonymize.yaml' })
  const { passed, classes, risk, input, output, columns } = await anonymizeFile({
    from: at('residents.csv'),
    to: at('extract.csv'),
    format: 'csv',
    config,
    hierarchies: new Map(),
    population: null,
  })
  if (!passed) throw new Error('the extract does not meet its own configuration')
  grid(
    ['', 'before', 'after'],
    [
      ['rows', number(input.rows), number(output.rows)],
      ['smallest class', classes.before.smallest, classes.after.smallest],
      [
        'highest risk of being found',
        percent(risk.before.prosecutor.highest),
        percent(risk.after.prosecutor.highest),
      ],
      ['average risk', percent(risk.before.prosecutor.average), percent(risk.after.prosecutor.average)],
      ['rows that are alone', percent(risk.before.sampleUnique), percent(risk.after.sampleUnique)],
    ],
    2,
  )
  const levels = columns.filter(({ level }) => level !== null)
  say(
    `generalized: ${levels.map(({ name, level, levels: most }) => `${name} ${level} of ${most}`).join(', ')}`,
  )
  excerpt(await readFile(at('extract.csv'), 'utf8'), 3)
}

async function foundZone() {
  const founded = await Zone.init(at('zone'), [
    { role: 'operator', signer: keys.operator },
    { role: 'provider', signer: keys[OWNER] },
    { role: 'auditor', signer: keys.auditor },
  ]) // sluice init
  for (const [name, role] of [
    ['examiner', 'reviewer'],
    ['university', 'consumer'],
  ]) {
    const principal = { name, role, key: keys[name].publicKey }
    await founded.principals.change({ action: 'enrol', principal }, [keys[OWNER], keys.auditor]) // sluice principal add
  }
  return founded
}

/** The university asks, owner and reviewer sign what they read, the operator runs, and anybody checks the receipt. */
async function answer(sql) {
  query(sql)
  const request = await zone.requests.submit({ sql, purpose: 'pension-adequacy' }, keys.university) // sluice request submit
  for (const name of [OWNER, 'examiner']) {
    const read = readRequestExport(zone.requests.export(request.id))
    await zone.approvals.import(await new Approver(keys[name]).approve(read, { digest: request.digest })) // sluice sign, approve
    good(`${name} signed`)
  }
  const release = await zone.run(request.id, keys.operator) // sluice run
  released(release)
  await writeFile(at('receipt.json'), receiptBytes(release.receipt))
  const trust = parseTrust(await readFile(zone.layout.trust))
  const { index, size } = await verifyReceipt(await readFile(at('receipt.json')), { trust }) // sluice ledger verify receipt.json --keys trust.json
  good(`the receipt holds: entry ${index} of a log of ${size}, checked with the zone’s trusted keys alone`)
}
