// The consumer's side: asks, and hands the exported request to those who have to sign it.
//
//   node consumer.mjs ask ZONE KEYS            prints the request's id
//   node consumer.mjs check ZONE KEYS ID       checks the receipt, offline, with keys from elsewhere
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { parseTrust, verifyReceipt } from '@sluice/ledger/verify'
import { t, Zone } from '@sluice/sandbox'

const [step, directory, folder, id] = process.argv.slice(2)

if (step === 'ask') {
  const zone = await Zone.open(directory)
  const request = await zone.requests.submit(
    {
      sql: `SELECT "Wildlife Size" AS size, count(*) AS strikes, avg("Cost Total $") AS mean_cost
            FROM bird_strikes WHERE "Flight Date" >= $from GROUP BY size ORDER BY size`,
      purpose: 'aviation-safety',
      parameters: { from: t.date({ min: '1990-01-01', max: '2002-12-31' }) },
      maxRuns: 3,
    },
    await KeyFile.open(join(folder, 'insurer.key')),
  )
  await writeFile(join(folder, `${request.id}.json`), zone.requests.export(request.id))
  console.log(request.id)
  await zone.close()
} else {
  const trust = parseTrust(await readFile(join(directory, 'trust.json')))
  const receipt = JSON.parse(await readFile(join(folder, `${id}.receipt.json`), 'utf8'))
  const { index, size } = await verifyReceipt(receipt, { trust })
  console.log(`entry ${index} is in the log of ${size} entries`)
}
