import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ChildPool, DuckDbExecutor } from '@sluice/sandbox/duckdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Harness } from './harness.js'

/**
 * A child that was taken over answers what it likes. It can lie about values, which nobody can tell; it cannot make
 * the zone's process read past a buffer, run out of memory, or take one form for another.
 */
let harness: Harness
beforeAll(async () => {
  harness = await Harness.start()
  const rows = `SELECT 'town ' || i AS name, CAST(i AS INTEGER) AS size FROM range(3) t(i)`
  await harness.register('towns', { rows, entity: 'none', release: 'rows' })
})
afterAll(() => harness.stop())

let programs = 0

/** Runs a query in a child whose answer to it is `lie`: code that calls `json` and `bytes`. */
async function told(lie: string, ready = `json({ kind: 'ready', version: 'v1.5.6' })`): Promise<unknown> {
  const folder = join(harness.folder, `liar-${++programs}`)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'main.mjs'), LIAR.replace('READY', ready).replace('LIE', lie))
  const pool = new ChildPool({
    program: { entry: join(folder, 'main.mjs'), dependencies: [] },
    stagingRoot: join(harness.folder, 'staging'),
    mode: 'process',
    warm: 0,
    outputBytes: 1 << 20,
  })
  const approved = await harness.approve('SELECT name, size FROM towns')
  return new DuckDbExecutor(pool, { milliseconds: 60_000 })
    .execute(approved, harness.inputs)
    .finally(() => pool.close())
}

const LIAR = `
let input = Buffer.alloc(0)
process.stdin.on('end', () => process.exit())
process.stdin.on('data', chunk => {
  input = Buffer.concat([input, chunk])
  while (input.length >= 5 && input.length >= 5 + input.readUInt32LE(0)) {
    const end = 5 + input.readUInt32LE(0)
    const { kind } = JSON.parse(input.subarray(5, end).toString())
    if (kind === 'query') { LIE } else json({ kind: 'done' })
    input = input.subarray(end)
  }
})
function frame(kind, body) {
  const header = Buffer.alloc(5)
  header.writeUInt32LE(body.length, 0)
  header[4] = kind
  process.stdout.write(Buffer.concat([header, body]))
}
function json(value) { frame(1, Buffer.from(JSON.stringify(value))) }
function bytes(...values) { frame(2, Buffer.from(values)) }
function words(...values) { frame(2, Buffer.from(Uint32Array.from(values).buffer)) }
READY
`

const NAME = `{ name: 'name', type: 'VARCHAR', nulls: false, lengths: [8, 1] }`
const SIZE = `{ name: 'size', type: 'INTEGER', nulls: false, lengths: [4] }`
const answer = (name = NAME, size = SIZE, rows = '1') =>
  `json({ kind: 'columns', rows: ${rows}, columns: [${[name, size].filter(Boolean).join(', ')}] })`

describe('an answer of the engine’s process', () => {
  it('is taken where its form is right, whatever it says', async () => {
    await told(`${answer()}; words(0, 1); bytes(120); words(7)`)
  })

  it.each([
    ['of another kind', `json({ kind: 'ready', version: 'v1.5.6' })`],
    ['of no kind', `json({ rows: 1 })`],
    ['that is a list', 'json([])'],
    ['in bytes', 'bytes(1)'],
    ['with fewer columns', `${answer(NAME, '')}; words(0, 1); bytes(120)`],
    ['with columns that are no list', `json({ kind: 'columns', rows: 1, columns: {} })`],
    ['with rows that are no number', `${answer(NAME, SIZE, '"1"')}`],
    ['with less than no rows', `${answer(NAME, SIZE, '-1')}`],
    ['with more rows than were asked for', `${answer(NAME, SIZE, '5e9')}`],
    [
      'with rows that its buffers do not have',
      `${answer(NAME, SIZE, '2')}; words(0, 1); bytes(120); words(7)`,
    ],
    ['with a buffer of another length', `${answer()}; words(0, 1, 1); bytes(120); words(7)`],
    ['with offsets past the text', `${answer()}; words(0, 2); bytes(120); words(7)`],
    ['with offsets that do not begin', `${answer()}; words(1, 1); bytes(120); words(7)`],
    [
      'with offsets that fall',
      `${answer(NAME.replace('[8, 1]', '[12, 1]'), SIZE.replace('[4]', '[8]'), '2')}; words(0, 4294967295, 1); bytes(120); words(7, 8)`,
    ],
    [
      'with a column of another type',
      `${answer(NAME, SIZE.replace('INTEGER', 'FLOAT'))}; words(0, 1); bytes(120); words(7)`,
    ],
    [
      'with a type that nobody knows',
      `${answer(NAME, SIZE.replace('INTEGER', 'BLOB'))}; words(0, 1); bytes(120); words(7)`,
    ],
    [
      'with nulls and no bitmap for them',
      `${answer(NAME, SIZE.replace('false', 'true'))}; words(0, 1); bytes(120); words(7)`,
    ],
    [
      'that fails for a reason of its own',
      `json({ kind: 'failed', failure: { reason: 'Zhang', line: null } })`,
    ],
  ])('is refused %s', async (_, lie) => {
    await expect(told(lie)).toThrowWithCode('ENGINE_FAILED')
  })

  it('is refused where it is larger than a result may be', async () => {
    await expect(told(`frame(2, Buffer.alloc(2 << 20))`)).toThrowWithCode('RESULT_TOO_LARGE')
  })

  it('is refused of another version of the engine', async () => {
    await expect(told('', `json({ kind: 'ready', version: 'v2.0.0' })`)).toThrowWithCode('ENGINE_VERSION')
    await expect(told('', 'json({})')).toThrowWithCode('ENGINE_FAILED')
  })
})
