// An operator in a process of its own: holds the zone's lock (`hold`), or runs a request until nothing is left (`run`).
import { KeyFile } from '@sluice/ledger/keys'
import { Zone } from '@sluice/sandbox'

const [directory, keyFile, request, step] = process.argv.slice(2)
const operator = await KeyFile.open(keyFile)
const zone = await Zone.open(directory, { engine: { mode: 'process' } })

if (step === 'hold') {
  await zone.ledger.exclusive(async () => {
    console.log('holding')
    await new Promise(resolve => setTimeout(resolve, 60_000))
  })
} else {
  console.log('ready')
  for (;;) {
    try {
      const release = await zone.run(request, operator, { parameters: { since: '2000' } })
      console.log(`released ${release.run}`)
    } catch (error) {
      console.log(error.code)
      break
    }
  }
}
await zone.close()
