// One of three parties of a joint job over files. Told to describe a file or to run the job, it answers with what came of it.

import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { examine, fingerprintKey, runJoint } from '@sluice/mpc'
import { readTable } from '@sluice/sandbox/io'

process.on('message', async ({ describe, job, key, files, out }) => {
  const signer = await KeyFile.open(key)
  if (describe !== undefined) {
    const found = await reading(files, [describe], async sources =>
      examine(sources[describe.name], describe, await fingerprintKey(signer)),
    )
    process.send({ rows: found.rows, fingerprint: found.fingerprint })
    return
  }
  const start = performance.now()
  const own = job.inputs.filter(({ owner }) => owner === signer.name)
  const { tables, traffic } = await reading(files, own, inputs =>
    runJoint(job, { signer, inputs, wait: 86_400 }),
  )
  await writeFile(out, JSON.stringify(tables))
  const seconds = (performance.now() - start) / 1000
  const memory = process.resourceUsage().maxRSS * 1024
  process.send({ groups: tables[0]?.rows.length ?? 0, traffic, seconds, memory })
})

/** Files as inputs, as the command line reads them: batch by batch, of CSV the texts. */
async function reading(files, [form, ...others], use, opened = {}) {
  if (form === undefined) return use(opened)
  const file = files[form.name]
  return readTable(file, { staging: dirname(file) }, async table => {
    const select = [...new Set([form.entity, ...form.columns.map(({ name }) => name)])]
    const source = () => table.batches(select, new Set(select))
    return reading(files, others, use, { ...opened, [form.name]: source })
  })
}
