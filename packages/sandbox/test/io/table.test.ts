import { createHash } from 'node:crypto'
import {
  appendFile,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  canHold,
  holdTable,
  placeTable,
  type ReadTableOptions,
  readTable,
  type TableFile,
  writeTable,
} from '@sluice/sandbox/io'
import { contentDigest, fileVersion, requireVersion } from '@sluice/sandbox/table'
import { Field, Int32, Schema, Table, tableFromArrays, tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-table-test-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT i AS id, 'v' || i AS name, CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 = 0 END AS even,
      CAST(i AS DECIMAL(9, 2)) AS amount, DATE '2024-01-01' + CAST(i % 100 AS INTEGER) AS day
      FROM range(100000) AS t(i)) TO '${join(folder, 'many.parquet')}' (FORMAT parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const path = (name: string) => join(folder, name)

/** The whole file, for small ones. */
function read<T>(
  name: string,
  use: (table: TableFile) => Promise<T>,
  options: Partial<ReadTableOptions> = {},
) {
  return readTable(path(name), { staging: folder, ...options }, use)
}

async function all(batches: AsyncIterable<Table>): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const batch of batches) for (const row of batch) rows.push(row.toJSON())
  return rows
}

describe('a table read and written batch by batch', () => {
  it('can be a sample: so many rows, none twice, all as likely', async () => {
    const buckets = new Float64Array(10)
    await read('many.parquet', async table => {
      const ids = (await all(table.batches(['id'], undefined, 5000))).map(row => Number(row['id']))
      expect(new Set(ids).size).toBe(5000)
      for (const id of ids) buckets[Math.floor(id / 10_000)]!++
      expect((await all(table.batches(['id'], undefined, 200_000))).length).toBe(100_000)
    })
    // chi-squared with 9 degrees of freedom is above 39.3 once in 100,000 times; the first 5,000 rows would give 45,000
    const chiSquared = buckets.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0)
    expect(chiSquared).toBeLessThan(39.3)
  })

  it.each(['parquet', 'csv'] as const)(
    'gives every text as it stands in %s, short or long, alone or repeated',
    async format => {
      const instance = await DuckDBInstance.create(':memory:')
      const connection = await instance.connect()
      const texts = {
        mixed: (i: number) => (i % 11 === 0 ? null : String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 41))),
        few: (i: number) => `a category with a long name, ${(i * i) % 7}`,
        digits: (i: number) => String(i).padStart(18, '0'),
        chinese: (i: number) => (i % 3 === 0 ? `深圳市公共数据专区${i}` : `x${i}`),
      }
      await connection.run(
        `COPY (SELECT CASE WHEN i % 11 = 0 THEN NULL ELSE repeat(chr((97 + i % 26)::INTEGER), 1 + i % 41) END AS mixed,
        'a category with a long name, ' || i * i % 7 AS few, printf('%018d', i) AS digits,
        CASE WHEN i % 3 = 0 THEN '深圳市公共数据专区' || i ELSE 'x' || i END AS chinese
        FROM range(10000) AS t(i)) TO '${path(`texts.${format}`)}' (FORMAT ${format})`,
      )
      connection.closeSync()
      instance.closeSync()
      await read(`texts.${format}`, async table => {
        const rows = await all(table.batches(Object.keys(texts), new Set(Object.keys(texts))))
        expect(rows.length).toBe(10_000)
        for (const [i, row] of rows.entries()) {
          for (const [name, text] of Object.entries(texts))
            if (row[name] !== text(i)) expect(row[name]).toBe(text(i))
        }
      })
    },
  )

  it.each(['arrow', 'parquet', 'csv'] as const)('comes back the same as %s', async format => {
    const copy = path(`copy.${format}`)
    const batches = await writeTable(copy, (directory, begin) =>
      readTable(path('many.parquet'), { staging: directory }, async table => {
        const writer = await begin({ format, columns: table.columns })
        let count = 0
        for await (const batch of table.batches()) {
          count++
          await writer.write(batch)
        }
        await writer.finish()
        return count
      }),
    )
    expect(batches).toBeGreaterThan(2)
    expect((await stat(copy)).mode & 0o777).toBe(0o600)
    const [before, after] = await Promise.all(
      ['many.parquet', `copy.${format}`].map(name =>
        read(name, async table => ({
          format: table.format,
          rows: table.rows,
          all: await all(table.batches(['id', 'name', 'even'])),
        })),
      ),
    )
    expect(after!.format).toBe(format)
    expect(after!.rows).toBe(100_000)
    expect(after!.all.length).toBe(100_000)
    expect(JSON.stringify(after!.all, bigint)).toBe(JSON.stringify(before!.all, bigint))
  })

  it('Arrow keeps every type', async () => {
    const columns = await read('copy.arrow', async table => table.columns)
    expect(columns).toEqual(await read('many.parquet', async table => table.columns))
    expect(tableFromIPC(await readFile(path('copy.arrow'))).numRows).toBe(100_000)
  })

  it('takes batches whose fields may not be null, and refuses other columns than the file has', async () => {
    const columns = [{ name: 'n', type: { kind: 'integer', bits: 32, signed: true } as const }]
    const strict = new Table(
      new Schema([new Field('n', new Int32(), false)]),
      tableFromArrays({ n: Int32Array.from([1, 2, 3]) }).batches[0]!,
    )
    for (const format of ['arrow', 'parquet'] as const) {
      const name = `strict.${format}`
      await writeTable(path(name), async (_, begin) => {
        const writer = await begin({ format, columns })
        await writer.write(strict)
        await writer.write(strict)
        await writer.finish()
      })
      const rows = await read(name, table => all(table.batches()))
      expect(rows.map(row => row['n'])).toEqual([1, 2, 3, 1, 2, 3])
    }
    const other = writeTable(path('other.arrow'), async (_, begin) => {
      const writer = await begin({ format: 'arrow', columns })
      await writer.write(tableFromArrays({ n: Float64Array.from([1]) }))
    })
    await expect(other).toThrowWithCode('INTERNAL')
  })

  it('is read on from any row, in the order of the file', async () => {
    for (const name of ['many.parquet', 'copy.csv', 'copy.arrow']) {
      await read(name, async table => {
        for (const from of [1, 2_048, 70_001, 100_000]) {
          let next = from
          for await (const batch of table.batches(['id'], undefined, undefined, from)) {
            for (const id of batch.getChild('id')!) if (Number(id) !== next++) throw new Error(`row ${next}`)
          }
          expect(next).toBe(100_000)
        }
      })
    }
  })

  it('has working files below a directory that is named from where the program stands', async () => {
    const staging = relative(process.cwd(), folder)
    await read('many.parquet', async table => expect(table.rows).toBe(100_000), { staging })
  })

  it('leaves nothing behind where the work fails, and replaces nothing unasked', async () => {
    const before = (await readdir(folder)).sort()
    const options = { format: 'csv', columns: [] } as const
    await expect(
      writeTable(path('never.csv'), async (_, begin) => {
        await begin(options)
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    await expect(writeTable(path('copy.csv'), (_, begin) => begin(options))).toThrowWithCode('EXISTS')
    await expect(writeTable(path('nowhere/x.csv'), (_, begin) => begin(options))).toThrowWithCode(
      'FILE_MISSING',
    )
    expect((await readdir(folder)).sort()).toEqual(before)
  })

  it('writes the rows that are kept without handing one over, of every type and in their order', async () => {
    const kept = Uint8Array.from({ length: 100_000 }, (_, row) => (row % 7 === 2 ? 1 : 0))
    const names = ['id', 'name', 'even', 'amount', 'day']
    await read('many.parquet', async table => {
      // what was read before is done with
      const before = await all(table.batches(names))
      const chosen = before.filter((_, row) => kept[row] === 1)
      await table.keep(kept, new Set(), made => placeTable(made, path('kept.parquet')))
      const [columns, after] = await read('kept.parquet', async written => [
        written.columns,
        await all(written.batches(names)),
      ])
      expect(columns).toEqual(table.columns)
      expect(JSON.stringify(after, bigint)).toBe(JSON.stringify(chosen, bigint))
      expect((await stat(path('kept.parquet'))).mode & 0o777).toBe(0o600)
      const keep = (flags: Uint8Array, force?: boolean) =>
        table.keep(flags, new Set(), made => placeTable(made, path('kept.parquet'), force))
      await expect(keep(kept)).toThrowWithCode('EXISTS')
      await expect(keep(kept.subarray(1), true)).toThrowWithCode('FINGERPRINT_MISMATCH')
      await keep(new Uint8Array(kept.length), true)
      expect(await read('kept.parquet', async written => written.rows)).toBe(0)
    })
  })

  it('keeps rows of the file that was opened, whatever is put in its place, a column of text as it stands', async () => {
    await writeFile(path('some.csv'), 'id,n,"__x"\n007,1,a\n008,2,\n009,3,c\n')
    await read('some.csv', async table => {
      await table.rest()
      await rm(path('some.csv'))
      await writeFile(path('some.csv'), 'id\nother\n')
      await table.keep(Uint8Array.of(0, 1, 1), new Set(['id']), made =>
        placeTable(made, path('some.parquet')),
      )
    })
    const rows = await read('some.parquet', table => all(table.batches()))
    expect(JSON.stringify(rows, bigint)).toBe(
      JSON.stringify([
        { id: '008', n: '2', __x: null },
        { id: '009', n: '3', __x: 'c' },
      ]),
    )
  })

  it('rests without a name of the file, and goes on with the same file alone', async () => {
    await copyFile(path('many.parquet'), path('resting.parquet'))
    const kept = new Uint8Array(100_000).fill(1, 7, 9)
    const names = async () => {
      const found = await readdir(folder, { recursive: true })
      return found.filter(name => name.endsWith('/in/source'))
    }
    await read('resting.parquet', async table => {
      expect(await names()).toHaveLength(1)
      await table.rest()
      await table.rest()
      expect(await names()).toEqual([])
      await table.keep(kept, new Set(), made => placeTable(made, path('rested.parquet')))
      expect(await names()).toHaveLength(1)
      await table.rest()
      await writeFile(path('resting.parquet'), await readFile(path('many.parquet')))
      for (let tries = 0; tries < 2; tries++) {
        await expect(all(table.batches())).toThrowWithCode('FINGERPRINT_MISMATCH')
      }
    })
    const rows = await read('rested.parquet', table => all(table.batches(['name'])))
    expect(rows).toEqual([{ name: 'v7' }, { name: 'v8' }])
  })

  it.skipIf(process.platform !== 'linux')(
    'is held for a second use with nothing in any folder that a killed process would leave',
    async () => {
      await copyFile(path('many.parquet'), path('held.parquet'))
      expect([await canHold(path('held.parquet')), await canHold(path('missing.parquet'))]).toEqual([
        true,
        false,
      ])
      const before = await readdir(folder)
      await holdTable(path('held.parquet'), { output: folder }, async table => {
        expect(table.rows).toBe(100_000)
        expect(await readdir(folder)).toEqual(before)
        await table.rest()
        const [first] = await all(table.batches(['id', 'name']))
        expect(first).toEqual({ id: 0n, name: 'v0' })
        await rm(path('held.parquet'))
        await writeFile(path('held.parquet'), 'another')
        const kept = Uint8Array.from({ length: table.rows }, (_, row) => (row % 25_000 === 7 ? 1 : 0))
        await table.keep(kept, new Set(), made => placeTable(made, path('held-kept.parquet')))
        expect((await readdir(folder)).filter(name => !before.includes(name))).toEqual(['held-kept.parquet'])
      })
      expect((await stat(path('held-kept.parquet'))).mode & 0o777).toBe(0o600)
      const rows = await read('held-kept.parquet', table => all(table.batches(['id', 'name'])))
      expect(rows).toEqual([7n, 25_007n, 50_007n, 75_007n].map(id => ({ id, name: `v${id}` })))
      expect(await canHold(path('held.parquet'))).toBe(false)
    },
  )

  it.skipIf(process.platform !== 'linux')(
    'is not what it seems where it is held: refused, and stopped',
    async () => {
      await writeFile(path('torn.parquet'), 'PAR1 and no end')
      const nothing = async () => undefined
      await expect(holdTable(path('torn.parquet'), { output: folder }, nothing)).toThrowWithCode(
        'FILE_FORMAT',
      )
      await expect(holdTable(path('gone.parquet'), { output: folder }, nothing)).toThrowWithCode(
        'FILE_MISSING',
      )
      await copyFile(path('many.parquet'), path('changed.parquet'))
      const changed = holdTable(path('changed.parquet'), { output: folder }, async table => {
        await table.rest()
        await writeFile(path('changed.parquet'), await readFile(path('many.parquet')))
        await table.keep(new Uint8Array(table.rows), new Set(), nothing)
      })
      await expect(changed).toThrowWithCode('FINGERPRINT_MISMATCH')
      await holdTable(path('many.parquet'), { output: folder }, async table => {
        await table.keep(new Uint8Array(table.rows), new Set(), table.unchanged)
      })
      const meanwhile = holdTable(path('changed.parquet'), { output: folder }, table =>
        table.keep(new Uint8Array(table.rows), new Set(), async () => {
          await writeFile(path('changed.parquet'), await readFile(path('many.parquet')))
          await table.unchanged()
        }),
      )
      await expect(meanwhile).toThrowWithCode('FINGERPRINT_MISMATCH')
      const controller = new AbortController()
      const options = { output: folder, signal: controller.signal }
      const waiting = holdTable(path('many.parquet'), options, async table => {
        controller.abort()
        for await (const _ of table.batches());
      })
      await expect(waiting).toThrowWithCode('INTERRUPTED')
    },
  )

  it.skipIf(process.platform !== 'linux')(
    'leaves no descriptor open where nothing can be written, and says so',
    async () => {
      const held = holdTable(path('many.parquet'), { output: path('nowhere') }, async () => undefined)
      await expect(held).toThrowWithCode('FILE_MISSING')
      const names = await readdir('/proc/self/fd')
      const open = await Promise.all(names.map(name => readlink(`/proc/self/fd/${name}`).catch(() => '')))
      expect(open).not.toContain(path('many.parquet'))
    },
  )

  it.skipIf(process.platform !== 'linux')(
    'tells of a damaged file to whoever asks for its rows, held or not',
    async () => {
      const bytes = await readFile(path('many.parquet'))
      await writeFile(path('damaged.parquet'), bytes.fill(0xff, 100, bytes.length >> 1))
      const damaged = async (table: TableFile) => {
        await expect(all(table.batches())).toThrowWithCode('FILE_FORMAT')
        const kept = table.keep(new Uint8Array(table.rows).fill(1), new Set(), async () => undefined)
        await expect(kept).toThrowWithCode('FILE_FORMAT')
      }
      await read('damaged.parquet', damaged)
      await holdTable(path('damaged.parquet'), { output: folder }, damaged)
    },
  )

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    await expect(
      read(
        'many.parquet',
        async table => {
          for await (const _ of table.batches()) controller.abort()
        },
        { signal: controller.signal },
      ),
    ).toThrowWithCode('INTERRUPTED')
  })
})

describe('text files', () => {
  it('reads numbers as the text that stands there where it is told to', async () => {
    await writeFile(path('phones.csv'), 'phone,age\n13800138000,41\n,7\n')
    const rows = await read('phones.csv', table => all(table.batches(undefined, new Set(['phone']))))
    expect(rows).toEqual([
      { phone: '13800138000', age: 41n },
      { phone: null, age: 7n },
    ])
  })

  it.each(['arrow', 'parquet'] as const)('leaves the types of %s, which has them', async format => {
    const columns = [{ name: 'n', type: { kind: 'integer', bits: 32, signed: true } as const }]
    const name = `typed.${format}`
    await writeTable(path(name), async (_, begin) => {
      const writer = await begin({ format, columns })
      await writer.write(tableFromArrays({ n: Int32Array.from([41, 7]) }))
      await writer.finish()
    })
    const rows = await read(name, table => all(table.batches(undefined, new Set(['n']))))
    expect(rows).toEqual([{ n: 41 }, { n: 7 }])
  })

  /** 姓名,城市 / 张三,杭州 / 𠮷,宁波 is beyond GBK; this is within */
  const GBK = Buffer.from([
    0xd0, 0xd5, 0xc3, 0xfb, 0x2c, 0xb3, 0xc7, 0xca, 0xd0, 0x0a, 0xd5, 0xc5, 0xc8, 0xfd, 0x2c, 0xba, 0xbc,
    0xd6, 0xdd, 0x0a,
  ])

  it('accepts GBK when told, and says when it looks like it', async () => {
    await writeFile(path('gbk.csv'), GBK)
    expect(await read('gbk.csv', table => all(table.batches()), { encoding: 'gbk' })).toEqual([
      { 姓名: '张三', 城市: '杭州' },
    ])
    const untold = read('gbk.csv', table => all(table.batches()))
    await expect(untold).toThrowWithCode('FILE_FORMAT', 'encoding')
    await expect(untold).rejects.toThrow('looks like GBK')
  })

  it('names the line where text is not of its encoding', async () => {
    await writeFile(path('broken.csv'), Buffer.concat([GBK, Buffer.from([0x61, 0xff, 0xff, 0x0a])]))
    const broken = read('broken.csv', table => all(table.batches()), { encoding: 'gbk' })
    await expect(broken).toThrowWithCode('FILE_FORMAT', 'encoding')
    await expect(broken).rejects.toMatchObject({
      message: 'the text file is not GBK',
      position: { column: 1 },
    })
  })

  it('names the line of a record with too many fields', async () => {
    await writeFile(path('ragged.csv'), 'a,b\n1,2\n3,4,5\n')
    const ragged = read('ragged.csv', table => all(table.batches()))
    await expect(ragged).toThrowWithCode('FILE_FORMAT', 'damaged')
    await expect(ragged).rejects.toMatchObject({ position: { line: 3 } })
  })
})

function bigint(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

describe('the version of a file', () => {
  it('is another after every change and every exchange, and the digest is that of its bytes', async () => {
    const file = path('versioned')
    const seen = new Set<string>()
    const changes = [
      () => writeFile(file, 'one'),
      () => writeFile(file, 'two'),
      () => appendFile(file, '.'),
      // another file of the same size and time
      async () => {
        const { atime, mtime } = await stat(file)
        await writeFile(path('other'), 'too.')
        await utimes(path('other'), atime, mtime)
        await rename(path('other'), file)
      },
    ]
    for (const change of changes) {
      await change()
      const version = await fileVersion(file)
      await requireVersion(file, version)
      for (const earlier of seen)
        await expect(() => requireVersion(file, earlier)).toThrowWithCode('FINGERPRINT_MISMATCH', 'input')
      seen.add(version)
      expect(await contentDigest(file)).toBe(
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      )
      // clocks of file systems tick some hundred times a second
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    expect(seen.size).toBe(changes.length)
    const stopped = () => contentDigest(file, AbortSignal.abort())
    await expect(stopped).toThrowWithCode('INTERRUPTED')
    await expect(() => fileVersion(path('nowhere'))).toThrowWithCode('FILE_MISSING')
  })
})
