// The operator's side. Two steps, with the consumer's and the owner's between them:
//
//   node operator.mjs found ZONE KEYS    founds a zone and enrols everybody
//   node operator.mjs run ZONE KEYS ID   imports the signatures that came back, runs, writes the receipt
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { Zone } from '@sluice/sandbox'

const [step, directory, folder, id] = process.argv.slice(2)
const key = name => KeyFile.open(join(folder, `${name}.key`))

if (step === 'found') {
  const [operator, faa, auditor] = [await key('operator'), await key('faa'), await key('auditor')]
  const zone = await Zone.init(directory, [
    { role: 'operator', signer: operator },
    { role: 'provider', signer: faa },
    { role: 'auditor', signer: auditor },
  ])
  for (const [name, role] of [
    ['examiner', 'reviewer'],
    ['insurer', 'consumer'],
  ]) {
    const { publicKey } = await key(name)
    // the charter wants the provider's and the auditor's signature: an operator cannot invent a principal
    await zone.principals.change({ action: 'enrol', principal: { name, role, key: publicKey } }, [
      faa,
      auditor,
    ])
  }
  await zone.close()
  console.log(`founded ${directory}`)
} else {
  const zone = await Zone.open(directory)
  for (const signer of ['faa', 'examiner']) {
    await zone.approvals.import(await readFile(join(folder, `${id}.${signer}.sig`)))
  }
  const release = await zone.run(id, await key('operator'), { parameters: { from: '1995-01-01' } })
  await writeFile(join(folder, `${id}.receipt.json`), JSON.stringify(release.receipt))
  console.log(release.table.toString())
  console.log(`${release.suppressions.length} cells withheld`)
  await zone.close()
}
