import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { columnOfVector, Desensitizer, dataOfColumn, Rule } from '@sluice/core/desensitize'
import { type RevealFileOptions, revealFile } from '@sluice/sandbox/reveal'
import { makeVector, Utf8, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reveal-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

const SECRET = new Uint8Array(32).fill(7)
const PEOPLE = ['110105194912310011', '上海 张三', 'x,"y"']

async function sealedCsv(name: string, description: object): Promise<string> {
  const column = columnOfVector(vectorFromArray(PEOPLE, new Utf8()))
  const rules = new Map([['person', Rule.parse(description)]])
  const desensitizer = await Desensitizer.open([{ name: 'person', type: column.type }], rules, {
    dataset: 'loans',
    key: () => SECRET,
    table: () => new Map(),
    random: size => new Uint8Array(size),
    whole: async () => column,
  })
  const [sealed] = desensitizer.apply([column])
  const lines = [...makeVector(dataOfColumn(sealed!))].map((text, i) => `${i},${text}`)
  writeFileSync(at(name), `n,person\n${lines.join('\n')}\n`)
  return at(name)
}

const TOKENS = { kind: 'reversible-token', key: 'k', domain: 'credit' }
const CELLS = { kind: 'encrypt', key: 'k', cipher: 'sm4-gcm' }

const options = (from: string, to: string, records: string[]): RevealFileOptions => ({
  from,
  to: at(to),
  column: 'person',
  sealed: { what: 'tokens', scope: 'credit' },
  secret: SECRET,
  record: async input => void records.push(input),
})

describe('revealFile', () => {
  it('opens a column of tokens into a copy of mode 600, after it was recorded', async () => {
    const from = await sealedCsv('tokens.csv', TOKENS)
    const records: string[] = []
    const result = await revealFile(options(from, 'opened.csv', records))
    expect(result).toEqual({ format: 'csv', rows: 3, opened: 3, refused: 0 })
    expect(records).toHaveLength(1)
    expect(records[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(readFileSync(at('opened.csv'), 'utf8')).toMatch(
      /0,"?110105194912310011"?\r?\n1,"?上海 张三"?\r?\n2,"x,""y"""/,
    )
    expect(statSync(at('opened.csv')).mode & 0o777).toBe(0o600)
  })

  it('opens cells where they stand', async () => {
    const from = await sealedCsv('cells.csv', CELLS)
    const cells = { what: 'cells', scope: 'loans', cipher: 'sm4-gcm' } as const
    const opened = await revealFile({ ...options(from, 'cells-opened.csv', []), sealed: cells })
    expect(opened).toMatchObject({ opened: 3, refused: 0 })
    const elsewhere = await revealFile({
      ...options(from, 'elsewhere.csv', []),
      sealed: { ...cells, scope: 'taxes' },
    })
    expect(elsewhere).toMatchObject({ opened: 0, refused: 3 })
    expect(readFileSync(at('elsewhere.csv'), 'utf8')).not.toMatch(/张三|11010/)
  })

  it('opens nothing where the record was not made, and leaves nothing behind', async () => {
    const from = await sealedCsv('unrecorded.csv', TOKENS)
    const failing = revealFile({
      ...options(from, 'never.csv', []),
      record: async () => {
        throw new Error('the disk is full')
      },
    })
    await expect(failing).rejects.toThrow('the disk is full')
    expect(existsSync(at('never.csv'))).toBe(false)
  })

  it('refuses a column that is not there and a file that is there, before anything is recorded', async () => {
    const from = await sealedCsv('again.csv', TOKENS)
    const records: string[] = []
    await expect(revealFile({ ...options(from, 'x.csv', records), column: 'nobody' })).toThrowWithCode(
      'NAME_UNKNOWN',
      'reveal.column',
    )
    await expect(revealFile(options(from, 'again.csv', records))).toThrowWithCode('EXISTS')
    await expect(revealFile(options(at('none.csv'), 'y.csv', records))).toThrowWithCode('FILE_MISSING')
    expect(records).toEqual([])
  })
})
