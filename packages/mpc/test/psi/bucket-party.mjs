// A party of `killed.test.ts`: over TLS, with its set on disk in small buckets. Says on standard output how far it is, a word
// a line, and is killed without warning where it has said the word that it was given.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { PartyLedger, PsiStoredItems, runPsi } from '@sluice/mpc'
import { approvePsi } from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'

const [folder, name, bucketItems, killedAt] = process.argv.slice(2)
const { job, ids, tax } = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8'))
const signer = await KeyFile.open(join(folder, `${name}.key`))
function say(word) {
  process.stdout.write(`${word}\n`)
  // from within: whoever listens may hear it late
  if (String(word) === killedAt) process.kill(process.pid, 'SIGKILL')
}
const ledger = await PartyLedger.open(join(folder, `${name}.ledger`), signer)
// a helper has none
const items =
  ids[name] &&
  (await PsiStoredItems.resume(job, tables, ['id'], {
    ...{ party: name, scratch: folder, keys: join(ledger.directory, 'kept'), every: 128 },
    input: createHash('sha256').update(JSON.stringify(ids[name])).digest('hex'),
    ...(job.sum?.owner === name && { sum: 'tax' }),
  }))
const path = join(folder, `${name}.approval`)
const approval = await readFile(path, 'utf8').then(JSON.parse, () => approvePsi(job, signer, items))
await writeFile(path, JSON.stringify(approval))
try {
  const { matched, count, sum, forget } = await runPsi(job, {
    ...{ signer, approval, ledger, scratch: folder, wait: 60, ...(items && { items }) },
    bucketItems: Number(bucketItems),
    onProgress: (_, at) => say(at.bucket),
  })
  say('computed')
  await writeFile(join(folder, `${name}.matched`), matched ?? '')
  if (sum !== undefined) say(`${count} keys, ${sum}`)
  await forget()
  await items?.remove()
} catch (error) {
  say(error.code)
  await items?.close()
}

/** Says at which row it is, before it reads on. */
async function* tables(from) {
  for (let row = from; row < ids[name].length; row += 64) {
    say(`row ${row}`)
    const text = values => vectorFromArray(values.slice(row, row + 64), new Utf8())
    yield new Table({ id: text(ids[name]), ...(job.sum?.owner === name && { tax: text(tax) }) })
  }
}
