// The owner's side, and the reviewer's: neither needs the zone to sign.
//
//   node owner.mjs register ZONE KEYS FILE    registers the data with its policy
//   node owner.mjs sign NAME KEYS ID          reviews the exported request, and signs its digest
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { Approver, Zone } from '@sluice/sandbox'

const [step, first, folder, last] = process.argv.slice(2)

if (step === 'register') {
  const zone = await Zone.open(first)
  const policy = await readFile(join(dirname(fileURLToPath(import.meta.url)), 'policy.yaml'), 'utf8')
  const owner = await KeyFile.open(join(folder, 'faa.key'))
  const dataset = await zone.datasets.add({ name: 'bird_strikes', from: last, policy }, owner)
  console.log(`registered ${dataset.name}, version ${dataset.version}, ${dataset.columns.length} columns`)
  await zone.close()
} else {
  const approver = new Approver(await KeyFile.open(join(folder, `${first}.key`)))
  const request = approver.review(await readFile(join(folder, `${last}.json`)))
  console.log(`${first} signs: ${request.document.purpose}, for ${request.document.consumer}`)
  for (const { column, uses } of request.reviewed.uses) console.log(`  ${column}: ${uses.join(', ')}`)
  const signature = await approver.approve(request, { digest: request.digest, expires: '30d', maxRuns: 3 })
  await writeFile(join(folder, `${last}.${first}.sig`), signature)
}
