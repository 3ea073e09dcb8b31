import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ENGINE_VERSION } from '@sluice/sandbox/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** The child by itself, asked for what the gate never asks: it has nothing to give. */
let child: ChildProcessWithoutNullStreams
const secret = join(tmpdir(), `sluice-secret-${process.pid}.csv`)

beforeAll(async () => {
  writeFileSync(secret, 'a,b\n1,Zhang\n')
  const root = dirname(createRequire(import.meta.url).resolve('@sluice/sandbox/package.json'))
  child = spawn(process.execPath, [join(root, 'dist', 'sql', 'parser-child.js')], { env: {} })
  expect(await answer()).toEqual({ kind: 'ready', version: ENGINE_VERSION })
})
afterAll(() => {
  child.kill('SIGKILL')
  rmSync(secret)
})

interface Answer {
  readonly kind: string
  readonly json?: string
  readonly message?: string
}

function ask(request: object): Promise<Answer> {
  const body = Buffer.from(JSON.stringify(request))
  const header = Buffer.from([0, 0, 0, 0, 1])
  header.writeUInt32LE(body.length)
  child.stdin.write(Buffer.concat([header, body]))
  return answer()
}

/** A frame: four bytes of length, one of kind, the body. */
async function answer(): Promise<Answer> {
  let bytes = Buffer.alloc(0)
  while (bytes.length < 5 || bytes.length < 5 + bytes.readUInt32LE()) {
    const [chunk] = await once(child.stdout, 'data')
    bytes = Buffer.concat([bytes, chunk])
  }
  return JSON.parse(bytes.subarray(5).toString('utf8')) as Answer
}

const schema = ["ATTACH ':memory:' AS zone", 'CREATE TABLE "zone"."main"."t" ("a" INTEGER)']
const bind = (text: string) => ask({ kind: 'bind', text, catalogue: 'x', schema })

describe('the parser', () => {
  it.each([
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM '${secret}'`,
    "SELECT error('Zhang'), getenv('HOME')",
    `COPY (SELECT 1) TO '${secret}'`,
    "ATTACH ':memory:' AS other; USE other",
    'PRAGMA enable_profiling',
    'SELECT a; DROP TABLE t',
  ])('evaluates nothing of %s', async text => {
    const { kind, json } = await ask({ kind: 'serialize', text })
    expect(kind).toBe('json')
    expect(json).not.toContain('1,Zhang')
  })

  it('ends a text at nothing that it would run', async () => {
    const { json } = await ask({ kind: 'serialize', text: "SELECT 1'); DROP TABLE t; --" })
    expect(json).toContain('"error":true')
  })
})

describe('the binder', () => {
  it('knows the tables that it was given', async () => {
    expect((await bind('SELECT t.a FROM zone.main.t AS t')).json).toContain('"error":false')
  })

  it.each([
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM read_text('${secret}')`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM glob('/*')`,
  ])('reaches nothing by %s', async text => {
    const { kind, json = '' } = await bind(text)
    expect(kind === 'failed' || json.includes('"error":true')).toBe(true)
    expect(json).not.toContain('Zhang')
  })

  it('asks for a catalogue that it does not have', async () => {
    expect(await ask({ kind: 'bind', text: 'SELECT 1', catalogue: 'other' })).toEqual({
      kind: 'unknown-catalogue',
    })
  })
})

it('ends when its parent goes away', async () => {
  child.stdin.end()
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
})
