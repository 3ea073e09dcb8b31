import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
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

  it('shared-companies: which, how many, and the total tax, among a bureau, a bank and a helper', async () => {
    const output = await node('shared-companies/run.mjs', await temporary())
    expect(output).toContain('bank: 300 of its 500 rows')
    expect(output.match(/(bureau|bank): 300\n/g)).toHaveLength(2)
    const [, total] = /bank: (\S+) over 300 companies/.exec(output) ?? []
    expect(output).toContain(`in the clear it would be ${total}`)
    expect(output).toContain('bank: DISCLOSURE_REFUSED psi.minimumIntersection')
    for (const said of ['bureau: 9 entries verify, of 4 runs', 'operator: 5 entries verify, of 2 runs'])
      expect(output).toContain(said)
    expect(output).not.toContain('INTERNAL')
  })

  it('inclusive-finance: three terminals, one result, and what each says when it goes wrong', async () => {
    const output = await node('inclusive-finance/run.mjs', await temporary())
    for (const said of [
      'what was opened is what a query over both tables would have said',
      'any two of bureau, bank, operator: two who put their shares together read every input',
      '[bureau] 采矿      A     ‹minimum-entities›',
      '[operator] done: the result was opened to other parties',
      'bank: 3 entries verify',
      'nothing was opened: true',
      'it is not signed by a party of the job',
      'PEER_UNTRUSTED: at the address of "bank"',
      'JOB_MISMATCH',
    ]) {
      expect(output).toContain(said)
    }
    // whoever is killed is named by everybody who is left, at first or second hand
    const [, killed] = /is killed while the job computes(.*?)== /s.exec(output) ?? []
    for (const party of ['bureau', 'operator'])
      expect(killed).toMatch(new RegExp(`\\[${party}\\] error PEER_(LOST|STOPPED): .*"bank"`))
  }, 240_000)

  it('register-desensitize: from a register to a released table', async () => {
    const folder = await temporary()
    const output = await node('register-desensitize/run.mjs', folder)
    const rows = async (name: string) =>
      (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n').slice(1)
    const people = (await rows('residents.csv')).map(line => line.split(','))
    expect(people).toHaveLength(5000)
    expect(output).toMatch(/identity_number +rule +token provider default aes-cmac +token register/)

    // one token a person, no number and no whole name; the fifty names that are none are hidden
    const outside = (await rows('outside.csv')).map(line => line.split(','))
    const numbers = new Set(people.map(([number]) => number))
    const tokens = outside.map(([token]) => token!)
    expect(new Set(tokens).size).toBe(numbers.size)
    expect(tokens.filter(token => !/^[0-9a-f]{32}$/.test(token))).toEqual([])
    const masked = outside.map(([, name]) => name!)
    expect(masked.filter(name => !/^(\p{Script=Han}\*{1,2})?$/u.test(name))).toEqual([])
    expect(masked.filter(name => name === '')).toHaveLength(50)

    // every column of the extract is a quasi-identifier: equal lines are a class
    const classes = new Map<string, number>()
    for (const line of await rows('extract.csv')) classes.set(line, (classes.get(line) ?? 0) + 1)
    expect(Math.min(...classes.values())).toBeGreaterThanOrEqual(5)

    // what is released is what the register says, and the island's few women are not
    const living = (district: string, sex: string) =>
      people.filter(person => person[5] === district && person[3] === sex)
    const east = living('示例东区', '女')
    const mean = east.reduce((sum, person) => sum + Number(person[7]), 0) / east.length
    const shown = mean.toLocaleString('en', { maximumFractionDigits: 2 })
    expect(output).toMatch(new RegExp(`示例东区 +女 +${east.length} +${shown.replace('.', '\\.')}`))
    expect(living('示例岛区', '女').length).toBeLessThan(10)
    expect(output).toMatch(/示例岛区 +女 +‹minimum-entities› +‹minimum-entities›/)
    expect(output).toContain('the receipt holds')
  })

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
