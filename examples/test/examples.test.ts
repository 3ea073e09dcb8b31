import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { KeyFile } from '@sluice/ledger/keys'
import { describe, expect, it, onTestFinished } from 'vitest'
import { birdStrikes } from '../data.mjs'

const examples = dirname(dirname(fileURLToPath(import.meta.url)))

async function node(script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(examples, script), ...args])
  return stdout
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-example-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('the examples', () => {
  it('bird-strikes: operator, owner and consumer, each a program of its own', async () => {
    const keys = await temporary()
    const zone = join(await temporary(), 'zone')
    for (const name of ['operator', 'faa', 'auditor', 'examiner', 'insurer']) {
      await KeyFile.generate(join(keys, `${name}.key`), { name })
    }
    expect(await node('bird-strikes/operator.mjs', 'found', zone, keys)).toContain('founded')
    expect(await node('bird-strikes/owner.mjs', 'register', zone, keys, birdStrikes)).toContain('14 columns')
    const id = (await node('bird-strikes/consumer.mjs', 'ask', zone, keys)).trim()
    for (const name of ['faa', 'examiner']) {
      expect(await node('bird-strikes/owner.mjs', 'sign', name, keys, id)).toContain(
        'Cost Total $: aggregate',
      )
    }
    const released = await node('bird-strikes/operator.mjs', 'run', zone, keys, id)
    for (const size of ['Large', 'Medium', 'Small']) expect(released).toContain(`"size": "${size}"`)
    expect(await node('bird-strikes/consumer.mjs', 'check', zone, keys, id)).toMatch(
      /^entry \d+ is in the log/,
    )
  })

  it('subsidy-totals: twelve districts, one total, and three refusals', async () => {
    const output = await node('subsidy-totals/run.mjs', await temporary())
    expect(output.match(/as the districts paid/g)).toHaveLength(3)
    for (const refusal of [
      'APPROVAL_DUPLICATE he.double: "district-07"',
      'PARAMETER_INVALID he.range',
      'KEY_UNKNOWN he.contributor: "district-01"',
    ]) {
      expect(output).toContain(refusal)
    }
  }, 240_000)

  it('demo: the main job, from an empty directory to a verified release', async () => {
    const output = await node('demo/run.mjs', await temporary())
    for (const part of [
      '‹dominance›',
      '‹minimum-entities›',
      'SQL_REFUSED',
      'POLICY_DENIED',
      'NOT_APPROVED',
      'DISCLOSURE_REFUSED',
      'LEDGER_CORRUPT',
      'LEDGER_ROLLED_BACK',
    ]) {
      expect(output).toContain(part)
    }
  })
})
