// A tax bureau, a bank and a data zone's operator: loans in arrears by industry and tax band, and no table leaves its
// owner. Then a party that is killed on the way, a certificate that is not the bank's, and a job that one side has
// changed: what each terminal says.
//
//   node run.mjs [DIRECTORY]
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reservePort } from '@sluice/mpc'
import { loans, plainly, taxpayers } from './companies.mjs'
import { show, sluice, terminal } from './terminals.mjs'

const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'sluice-inclusive-finance-')))
const PARTIES = ['bureau', 'bank', 'operator']
const at = (party, name) => join(folder, party, name)

// everybody has a directory, which stands for a machine, and a key that never leaves it
for (const party of PARTIES) {
  await mkdir(join(folder, party), { recursive: true })
  await sluice(join(folder, party), 'key', 'new', `${party}.key`, '--name', party, '--no-passphrase')
}
await writeFile(at('bureau', 'taxpayers.csv'), taxpayers())
await writeFile(at('bank', 'loans.csv'), loans())
console.log('the bureau has taxpayers.csv, the bank has loans.csv, the operator has neither')

// each owner describes its table: columns, rows, and a fingerprint under its own key; no value leaves
await describe('bureau', 'taxpayers', [
  'band: {kind: category, categories: [A, B, C, D]}',
  'tax: {kind: number, scale: 2, bound: "1000000"}',
])
await describe('bank', 'loans', [
  'industry: {kind: category, categories: [农业, 制造, 批发零售, 住宿餐饮, 采矿]}',
  'debt: {kind: number, scale: 2, bound: "10000000"}',
  'days: {kind: number, scale: 0, bound: "3650"}',
])

// the operator writes the job; the two described tables were sent to it, with everybody's public keys and addresses
await copyFile(at('bureau', 'taxpayers.json'), at('operator', 'taxpayers.json'))
await copyFile(at('bank', 'loans.json'), at('operator', 'loans.json'))
await makeJob('arrears.json')

// everybody reads it and signs it
for (const party of PARTIES) {
  const said = await sluice(join(folder, party), 'joint', 'approve', 'arrears.json', '--as', party)
  if (party === 'bank') show('bank', said)
}

console.log('\n== the job runs: each terminal\n')
const ended = await everybody(party => [...inputOf(party), ...(party === 'bank' ? ['--json'] : [])])
show('bureau', ended.bureau.stdout)
show('operator', ended.operator.stdout)
const { tables, session } = JSON.parse(ended.bank.stdout)
const same = JSON.stringify(tables[0].rows) === JSON.stringify(plainly(10))
console.log(`what was opened is ${same ? 'what' : 'NOT what'} a query over both tables would have said`)

console.log('\n== each party has its own ledger, and anybody can verify it\n')
for (const party of PARTIES) {
  const own = `${party}.ledger`
  const words = ['ledger', 'verify', `${own}/ledger`, '--keys', `${own}/trust.json`, '--json']
  const { size } = JSON.parse(await sluice(join(folder, party), ...words))
  console.log(`${party}: ${size} entries verify, session ${session.slice(0, 8)}`)
}

console.log('\n== the bank is killed while the job computes\n')
const killed = await everybody(party => [...inputOf(party), '--progress', 'json', '--wait', '20s'], {
  bank: ({ child, said }) => said.includes('rows') && said.includes('rounds') && child.kill('SIGKILL'),
})
for (const party of ['bureau', 'operator']) show(party, lastLines(killed[party].stderr))
console.log(`nothing was opened: ${killed.bureau.stdout === '' && killed.operator.stdout === ''}`)

console.log('\n== somebody else calls itself the bank\n')
const thief = join(folder, 'somebody')
await mkdir(thief)
await sluice(thief, 'key', 'new', 'bank.key', '--name', 'bank', '--no-passphrase')
const forged = JSON.parse(await readFile(at('operator', 'arrears.json'), 'utf8'))
forged.parties[1].key = (await readFile(join(thief, 'bank.key.pub'), 'utf8')).trim()
// its table is empty: it wants to read, not to give
forged.inputs = forged.inputs.map(input => ({ ...input, owner: 'bureau' }))
await writeFile(join(thief, 'arrears.json'), JSON.stringify(forged))
await sluice(thief, 'joint', 'approve', 'arrears.json', '--as', 'bank')
const waiting = ['--progress', 'json', '--wait']
let impostor
await new Promise(resolve => {
  const words = ['joint', 'run', 'arrears.json', '--as', 'bank', ...waiting, '60s']
  // it calls until somebody is there
  impostor = terminal(thief, words, ({ said }) => said.includes('calling') && resolve()).ended
  impostor.then(resolve)
})
const [somebody, bureau, operator] = await Promise.all([
  impostor,
  ...['bureau', 'operator'].map(party => {
    const words = ['joint', 'run', 'arrears.json', '--as', party, ...inputOf(party), ...waiting, '6s']
    return terminal(join(folder, party), words).ended
  }),
])
show('somebody', lastLines(somebody.stderr))
show('bureau', bureau.stderr.split('\n').find(line => line.includes('refused')) ?? '')
show('operator', lastLines(operator.stderr))

console.log('\n== the bank has another job than the others: cells of one company would be opened\n')
const changed = JSON.parse(await readFile(at('bank', 'arrears.json'), 'utf8'))
await writeFile(at('bank', 'changed.json'), JSON.stringify({ ...changed, minimumEntities: 1 }))
await sluice(join(folder, 'bank'), 'joint', 'approve', 'changed.json', '--as', 'bank')
const differing = await everybody(inputOf, {}, party => (party === 'bank' ? 'changed.json' : 'arrears.json'))
for (const party of PARTIES) show(party, differing[party].stderr)

/** An owner's table as the others will see it. */
async function describe(party, name, columns) {
  const lines = columns.map(column => {
    const [, title, type] = /^(\w+): (.*)$/s.exec(column)
    return `  - {name: ${title}, nullable: false, type: ${type}}\n`
  })
  await writeFile(
    at(party, `${name}.yaml`),
    `name: ${name}\nowner: ${party}\nentity: company\ncolumns:\n${lines.join('')}`,
  )
  const out = ['--input', `${name}.csv`, '--out', `${name}.json`]
  show(party, await sluice(join(folder, party), 'joint', 'input', `${name}.yaml`, '--as', party, ...out))
}

async function makeJob(name) {
  const ports = await Promise.all(PARTIES.map(() => reservePort()))
  const parties = await Promise.all(
    PARTIES.map(async (party, i) => {
      const key = (await readFile(at(party, `${party}.key.pub`), 'utf8')).trim()
      return `  - {name: ${party}, role: computing, key: "${key}", host: 127.0.0.1, port: ${ports[i]}}\n`
    }),
  )
  await writeFile(
    at('operator', 'draft.yaml'),
    `purpose: loans in arrears by industry and tax band
parties:
${parties.join('')}inputs:
  - {file: taxpayers.json}
  - {file: loans.json}
operations:
  - name: arrears
    receivers: [bureau, bank]
    sql: |
      SELECT industry, band, count(*) AS companies, sum(debt) AS debt
      FROM loans JOIN taxpayers ON loans.company = taxpayers.company
      WHERE days > 90 AND debt > tax
      GROUP BY industry, band
minimumEntities: 10
limits: {seconds: 120, memory: 1048576}
`,
  )
  await sluice(join(folder, 'operator'), 'joint', 'init', 'draft.yaml', '--out', name)
  for (const party of ['bureau', 'bank']) await copyFile(at('operator', name), at(party, name))
}

function inputOf(party) {
  return { bureau: ['--input', 'taxpayers.csv'], bank: ['--input', 'loans.csv'], operator: [] }[party]
}

/** Each party in a terminal of its own; `watch` sees what one of them says as it says it. */
async function everybody(more, watch = {}, job = () => 'arrears.json') {
  const running = PARTIES.map(party => {
    const started = terminal(
      join(folder, party),
      ['joint', 'run', job(party), '--as', party, ...more(party)],
      watch[party],
    )
    return started.ended.then(end => [party, end])
  })
  return Object.fromEntries(await Promise.all(running))
}

/** Without the progress before them. */
function lastLines(text) {
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('{'))
    .join('\n')
}
