// A tax bureau and a bank find the companies that both know, by unified social credit code (GB 32100): which, for the
// bank; then only how many, for both; then the total of their tax, with the data zone's operator as helper. Each party
// is one call with its own key and table, over mutual TLS on this machine; nobody's table leaves it.
//
//   node run.mjs [DIRECTORY]
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import { KeyFile } from '@sluice/ledger/keys'
import { parseTrust, verifyLedger } from '@sluice/ledger/verify'
import { PartyLedger, reservePort, runPsi } from '@sluice/mpc'
import { approvePsi, freshPsiJob, parsePsiJob, readPsiItems } from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'

const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'sluice-shared-companies-')))
const keys = {}
for (const name of ['bureau', 'bank', 'operator']) {
  keys[name] = await KeyFile.generate(join(folder, `${name}.key`), { name })
}

/** A code of GB 32100: 17 characters and the check character, which follows from them. */
function creditCode(number) {
  const characters = '0123456789ABCDEFGHJKLMNPQRTUWXY'
  const body = `91110108${String(number).padStart(9, '0')}`
  const sum = [...body].reduce((total, c, i) => total + characters.indexOf(c) * (3 ** i % 31), 0)
  return body + characters[(31 - (sum % 31)) % 31]
}

// the bureau has 900 companies and what they paid, the bank 500, of which 300 are the bureau's, as its clerks wrote them
const text = values => vectorFromArray(values, new Utf8())
const taxed = Array.from({ length: 900 }, (_, i) => i + 1)
const clients = Array.from({ length: 500 }, (_, i) => 601 + i)
const tables = {
  bureau: new Table({ code: text(taxed.map(creditCode)), tax: text(taxed.map(i => `${i * 10}.25`)) }),
  bank: new Table({
    code: text(clients.map((i, row) => (row % 2 ? creditCode(i) : ` ${creditCode(i).toLowerCase()}`))),
  }),
}

async function jobOf(names, rest) {
  const parties = await Promise.all(
    names.map(async name => ({
      name,
      key: keys[name].publicKey,
      host: '127.0.0.1',
      port: await reservePort(),
    })),
  )
  return parsePsiJob({
    ...freshPsiJob(),
    purpose: 'companies that the bureau and the bank both know',
    parties,
    key: [{ name: 'code', normalize: ['width', 'trim', 'case'] }],
    size: { floor: 100, ceiling: 2000, step: 100 },
    payload: [],
    minimumIntersection: 50,
    quota: { runs: 1, lifetimeItems: 10_000 },
    seconds: 300,
    ...rest,
  })
}

/** One party, start to end. */
async function takePart(job, name) {
  const columns = { key: ['code'], ...(job.sum?.owner === name && { sum: 'tax' }) }
  const items = tables[name] && (await readPsiItems(job, [tables[name]], columns))
  const signer = keys[name]
  const approval = await approvePsi(job, signer, items)
  const ledger = await PartyLedger.open(join(folder, `${name}.ledger`), signer)
  return runPsi(job, { signer, approval, items, ledger })
}

async function together(job) {
  const names = job.parties.map(({ name }) => name)
  const outcomes = await Promise.allSettled(names.map(name => takePart(job, name)))
  return Object.fromEntries(outcomes.map(({ value, reason }, i) => [names[i], value ?? reason]))
}

const say = (name, result) =>
  console.log(`  ${name}: ${isSluiceError(result) ? `${result.code} ${result.rule}` : result}`)

console.log('which, to the bank')
const which = await together(
  await jobOf(['bureau', 'bank'], { protocol: 'kkrt', receivers: [{ name: 'bank', learns: 'which' }] }),
)
const rows = [...which.bank.matched.keys()].filter(row => which.bank.matched[row] === 1)
say(
  'bank',
  `${rows.length} of its ${clients.length} rows, the first ${tables.bank.getChild('code').get(rows[0]).trim()}`,
)
say('bureau', which.bureau.count === undefined ? 'nothing' : which.bureau.count)

console.log('how many, to both')
const receivers = ['bureau', 'bank'].map(name => ({ name, learns: 'count' }))
const count = await together(await jobOf(['bureau', 'bank'], { protocol: 'ecdh', receivers }))
for (const name of ['bureau', 'bank']) say(name, count[name].count)

console.log('the total tax, to the bank, with the operator as helper')
const sum = { owner: 'bureau', column: 'tax', scale: 2, bound: '1000000' }
const helped = { protocol: 'helper', helper: 'operator', receivers: [{ name: 'bank', learns: 'sum' }], sum }
const total = await together(await jobOf(['bureau', 'bank', 'operator'], helped))
say('bank', `${total.bank.sum} over ${total.bank.count} companies`)
const expected = taxed.filter(i => clients.includes(i)).reduce((fen, i) => fen + i * 1000 + 25, 0) / 100
console.log(`  in the clear it would be ${expected.toFixed(2)}`)

console.log('the same from 301 companies on, which there are not: the helper enforces it')
const few = await together(
  await jobOf(['bureau', 'bank', 'operator'], { ...helped, minimumIntersection: 301 }),
)
say('bank', few.bank)

console.log('what each party has recorded, as anybody can verify it')
for (const name of ['bureau', 'bank', 'operator']) {
  const directory = join(folder, `${name}.ledger`)
  const trust = parseTrust(await readFile(join(directory, 'trust.json')))
  const { size, entriesByKind } = await verifyLedger(join(directory, 'ledger'), { trust })
  say(name, `${size} entries verify, of ${entriesByKind['psi-start']} runs`)
}
