// A party of `killed.test.ts`, which ends it: over TLS, with its set on disk in small buckets. Says on standard output how
// far it is, a word a line.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { PsiStoredItems, runPsi } from '@sluice/mpc'
import { approvePsi } from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'

const [folder, name, bucketItems] = process.argv.slice(2)
const { job, ids } = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8'))
const signer = await KeyFile.open(join(folder, `${name}.key`))
const tables = [new Table({ id: vectorFromArray(ids[name], new Utf8()) })]
const directory = join(folder, `${name}-set-${process.pid}`)
const items = await PsiStoredItems.read(job, tables, ['id'], { directory })
const path = join(folder, `${name}.approval`)
const approval = await readFile(path, 'utf8').then(JSON.parse, () => approvePsi(job, signer, items))
await writeFile(path, JSON.stringify(approval))
const say = word => process.stdout.write(`${word}\n`)
try {
  const { matched, forget } = await runPsi(job, {
    ...{ signer, approval, items, record: join(folder, `${name}.record`), scratch: folder, wait: 60 },
    bucketItems: Number(bucketItems),
    onProgress: (_, at) => say(at.bucket),
  })
  say('computed')
  // a moment in which it can be killed, as while rows are written
  await new Promise(resolve => setTimeout(resolve, 300))
  await writeFile(join(folder, `${name}.matched`), matched ?? '')
  await forget()
} catch (error) {
  say(error.code)
} finally {
  await items.remove()
}
