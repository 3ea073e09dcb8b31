import { spawn } from 'node:child_process'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { aggregationBytes } from '@sluice/core/he'
import { KeyFile } from '@sluice/ledger/keys'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { begin } from '../../core/test/he/fixture.ts'
import { column, Plans, planOf } from '../../core/test/plan/plans.ts'
import { goOn, haltedAt } from './terminal.js'
import { temporaryRoot } from './transcript.js'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')
/** some seconds of encryption */
const GROUPS = 2 ** 20

let root = ''
const at = (name: string) => join(root, name)

beforeAll(async () => {
  root = await temporaryRoot()
  const plans = new Plans()
  const scan = plans.scan('subsidies', 'age')
  const plan = planOf(plans.aggregate(scan, { age: column(scan, 'age') }, { n: ['count', null] }))
  const names = ['east', 'west', 'north', 'adder', 'holder']
  const keys = await Promise.all(names.map(name => KeyFile.generate(at(`${name}.key`), { name })))
  const [east, west, north, adder, holder] = keys.map(({ name, publicKey }) => ({ name, key: publicKey }))
  const round = await begin(plan, {
    groups: { kind: 'range', first: 0, count: GROUPS },
    columns: {},
    contributors: [east!, west!, north!],
    adder: adder!,
    keyHolder: holder!,
    auditor: null,
  })
  await writeFile(at('aggregation.json'), aggregationBytes(round.aggregation))
  await writeFile(at('public.key'), round.publicKey)
  await writeFile(at('rows.csv'), 'age\n1\n2\n2\n')
})
afterAll(() => rm(root, { recursive: true, force: true }))

const A_TENTH = /"fraction":0\.[1-9]/

/** Encrypts; the signal is sent when a tenth of it is done. */
function encrypting(signal: NodeJS.Signals | null): Promise<{ code: number | null; stderr: string }> {
  const words = ['--aggregation', 'aggregation.json', '--public-key', 'public.key', '--key', 'east.key']
  const child = spawn(
    process.execPath,
    [
      ...(signal === null ? [] : haltedAt(A_TENTH)),
      ...[program, 'he', 'encrypt', 'rows.csv', ...words, '--out', 'east.he', '--progress', 'json'],
    ],
    { cwd: root },
  )
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    // once: who interrupts twice does not wait for the rest to be removed
    if (signal === null || child.killed || !A_TENTH.test(stderr)) return
    child.kill(signal)
    goOn(child)
  })
  return new Promise(resolve => child.once('close', code => resolve({ code, stderr })))
}

const written = async () => (await readdir(root)).filter(name => /^east\.he|^\.sluice-/.test(name))

it('a file that was being encrypted is there whole or not at all, and its rest is swept', async () => {
  expect(await encrypting('SIGINT')).toMatchObject({ code: 130 })
  expect(await written()).toEqual([])
  expect(await encrypting('SIGKILL')).toMatchObject({ code: null })
  const left = await written()
  expect(left).toEqual([expect.stringMatching(/^\.sluice-[0-9a-f]{8}-\d+-[0-9a-f]{16}$/)])
  expect(await encrypting(null)).toMatchObject({ code: 0 })
  expect(await written()).toEqual(['east.he'])
  expect((await stat(at('east.he'))).size).toBeGreaterThan(16 * GROUPS)
  // and what is there is never replaced
  expect(await encrypting(null)).toMatchObject({ code: 6, stderr: expect.stringContaining('EXISTS') })
})
