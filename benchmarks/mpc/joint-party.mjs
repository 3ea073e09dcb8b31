// One of three parties of a joint job whose rows are made as they are read. Told to describe its rows or to run the job,
// it answers with what came of it.

import { KeyFile } from '@sluice/ledger/keys'
import { examine, fingerprintKey, runJoint } from '@sluice/mpc'
import { generatedRows } from './generated-rows.mjs'

process.on('message', async ({ describe, job, key, rows }) => {
  const signer = await KeyFile.open(key)
  if (describe !== undefined) {
    const found = await examine(() => generatedRows(describe, rows), describe, await fingerprintKey(signer))
    process.send({ rows: found.rows, fingerprint: found.fingerprint })
    return
  }
  const own = job.inputs.filter(({ owner }) => owner === signer.name)
  const inputs = Object.fromEntries(own.map(input => [input.name, () => generatedRows(input, rows)]))
  const before = process.cpuUsage()
  const start = performance.now()
  const { tables, traffic } = await runJoint(job, { signer, inputs, wait: 86_400 })
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  const memory = process.resourceUsage().maxRSS * 1024
  process.send({ tables, traffic, seconds, processor: (user + system) / 1e6, memory })
})
