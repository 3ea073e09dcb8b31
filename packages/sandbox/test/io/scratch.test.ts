import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTable, writeTable } from '@sluice/sandbox/io'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const columns = [{ name: 'a', type: { kind: 'text' } }] as const

describe('working files beside an output', () => {
  it('of killed processes go with the next one; those of the living and of other machines stay', async () => {
    const own = await writeTable(join(directory, 'out.csv'), async scratch => {
      const [, machine] = /\.sluice-([0-9a-f]{8})-/.exec(scratch) ?? []
      return machine!
    })
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    const mark = '0123456789abcdef'
    const other = own === '00000000' ? '11111111' : '00000000'
    const names = [
      `.sluice-${own}-${dead}-${mark}`,
      `.sluice-${own}-1-${mark}`,
      `.sluice-${other}-${dead}-${mark}`,
    ]
    for (const name of [...names, '.sluice-mine']) {
      await mkdir(join(directory, name))
      await writeFile(join(directory, name, 'written'), 'half')
    }
    await writeTable(join(directory, 'out.csv'), async (_, begin) => {
      const writer = await begin({ format: 'csv', columns })
      await writer.finish()
    })
    expect((await readdir(directory)).sort()).toEqual([...names.slice(1), '.sluice-mine', 'out.csv'].sort())
  })
})

describe('a record that is too long', () => {
  it.each([
    ['a cell of 10 MB', `id,remark\n1,"a\nb"\n2,${'x'.repeat(10 << 20)}\n`, 'remark', 2],
    ['a quote that is never closed', `id,remark\n"1,${'x'.repeat(3 << 20)}\n`, 'id', 1],
  ])('%s is refused by column and row', async (_, text, column, row) => {
    const path = join(directory, 'long.csv')
    await writeFile(path, text)
    await expect(readTable(path, { staging: directory }, async () => undefined)).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      rule: 'cell.size',
      facts: { column, row },
    })
  })
})
