// A process that writes to a ledger until it has done its share or is killed: node child.mjs DIRECTORY KEYS NAME COUNT
// Prints a line for every entry that was acknowledged to it: index, then what the entry says.
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { Ledger } from '@sluice/ledger'
import { KeyFile } from '@sluice/ledger/keys'

const [directory, keys, name, count] = process.argv.slice(2)
const ledger = await Ledger.open(directory, { logSigner: await KeyFile.open(join(keys, 'log.key')) })
const operator = await KeyFile.open(join(keys, 'operator.key'))
const refusal = {
  kind: 'refusal',
  stage: 'gate',
  code: 'SQL_REFUSED',
  requestDigest: null,
  run: null,
  principal: 'operator',
}

for (let i = 0; i < Number(count); ) {
  await ledger.exclusive(
    async writer => {
      // alone, then several that share a sync, then out of the lock so that others get their turn
      for (const together of [1, 1, 5]) {
        const batch = Array.from({ length: together }, async () => {
          const rule = `${name} ${i++}`
          const { index } = await writer.record({ ...refusal, rule }, operator)
          writeSync(1, `${index} ${rule}\n`)
        })
        await Promise.all(batch)
      }
    },
    { onWait: () => writeSync(2, 'waiting\n') },
  )
}
