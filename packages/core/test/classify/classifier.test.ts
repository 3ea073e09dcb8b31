import { type Classification, Classifier, type ColumnClassification, classify } from '@sluice/core/classify'
import {
  Binary,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int64,
  List,
  makeData,
  makeVector,
  Schema,
  Table,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { failure } from '../failure.ts'

const identities = (count: number) => Array.from({ length: count }, (_, i) => identityNumber(i))

/** Of nobody: the city 99 was never issued. */
function identityNumber(index: number): string {
  const day = new Date(Date.UTC(1950, 0, 1) + (index % 20_000) * 86_400_000)
  const head = `119901${day.toISOString().slice(0, 10).replaceAll('-', '')}${String(index % 1000).padStart(3, '0')}`
  const sum = [...head].reduce((total, digit, i) => total + Number(digit) * (2 ** (17 - i) % 11), 0)
  return head + '10X98765432'[sum % 11]
}

function classifyTable(table: Table, options = {}): Classification {
  const classifier = new Classifier(table.schema, options)
  for (const batch of table.batches) classifier.add(batch)
  return classifier.finish()
}

function only(values: readonly (string | null)[], name = 'c'): ColumnClassification {
  return classifyTable(new Table({ [name]: vectorFromArray(values, new Utf8()) })).columns[0]!
}

describe('a column', () => {
  test('is recognized by checksum whatever it is called, and half of it may be dirt', () => {
    const dirty = identities(100).map((value, i) => (i % 2 === 0 ? value : `${value.slice(0, 17)}?`))
    const column = only(dirty, 'order_no')
    expect(column.entity).toMatchObject({ entity: 'identity-number', evidence: ['checksum', 'format'] })
    expect(column.entity!.confidence).toBeGreaterThan(0.9)
    expect(only(dirty.map(value => `${value.slice(0, 6)}99${value.slice(8)}`)).entity).toBeNull()
  })

  test('whose checksums fail is recognized by its name, and is a candidate without', () => {
    const wrong = identities(200).map((value, i) => value.slice(0, 17) + '0123456789X'[i % 11])
    expect(only(wrong, '身份证号').entity).toMatchObject({
      entity: 'identity-number',
      evidence: ['format', 'name'],
    })
    const unnamed = only(wrong)
    expect(unnamed.entity).toBeNull()
    expect(unnamed.others[0]).toMatchObject({ entity: 'identity-number', evidence: ['format'] })
  })

  test('of another form than its name says keeps the higher grade', () => {
    const masked = only(
      Array.from({ length: 50 }, () => '1101**********1234'),
      '身份证号',
    )
    expect(masked.entity).toBeNull()
    expect(masked).toMatchObject({ grade: '3', reason: 'higher-candidate', uses: [] })
    expect(
      only(
        Array.from({ length: 50 }, (_, i) => `v${i}`),
        'status_code',
      ),
    ).toMatchObject({ grade: '2' })
  })

  test('that is only named is taken at its word, and so is an empty one', () => {
    expect(only(['高血压', '骨折'], '诊断结果')).toMatchObject({ grade: '4', role: 'sensitive', uses: [] })
    expect(only([null, null, ''], 'id_card_no')).toMatchObject({
      entity: { entity: 'identity-number' },
      grade: '3',
    })
  })

  test('counts nulls, blanks and distinct values', () => {
    const column = only([null, '', '  ', 'a', 'a', ' b '])
    expect(column.nulls.value).toBeCloseTo(1 / 6)
    expect(column.blanks.value).toBeCloseTo(2 / 6)
    expect(column.distinct).toEqual({ count: 2, share: 2 / 3, relativeError: 0 })
  })

  test('of a few words that begin like surnames is no column of names', () => {
    const words = ['黄金', '白酒', '金属', '毛巾', '石材', '花卉', '高粱']
    expect(only(Array.from({ length: 700 }, (_, i) => words[i % 7]!)).entity).toBeNull()
  })

  test('has a head in its name', () => {
    const numbers = Array.from({ length: 40 }, (_, i) => `1380000${String(1000 + i)}`)
    expect(only(numbers, 'contactMobileNo2').entity!.evidence).toContain('name')
    expect(only(['浙江', '广东'], '手机号归属地').entity).toBeNull()
    expect(only(['Huawei', 'Apple'], 'mobile_brand').entity).toBeNull()
  })
})

describe('distinct values beyond what is held', () => {
  test.each([20_000, 300_000])('%i are estimated within the stated error', count => {
    const column = only(Array.from({ length: count }, (_, i) => `row ${i}`))
    const { count: estimate, relativeError } = column.distinct
    expect(relativeError).toBeGreaterThan(0)
    expect(relativeError).toBeLessThan(0.04)
    expect(Math.abs(estimate / count - 1)).toBeLessThan(relativeError)
  })

  test('8,192 are still counted', () => {
    expect(only(Array.from({ length: 8192 }, (_, i) => String(i))).distinct).toMatchObject({
      count: 8192,
      relativeError: 0,
    })
  })
})

describe('a sample', () => {
  const table = new Table({ c: vectorFromArray([null, ...identities(99)], new Utf8()) })

  test('has intervals that hold the share and narrow with the rows', () => {
    const { rows, columns } = classifyTable(table, { sampledFrom: 1_000_000 })
    expect(rows).toEqual({ read: 100, total: 1_000_000, sampled: true })
    const { value, low, high } = columns[0]!.nulls
    expect(value).toBe(0.01)
    // Wilson's interval of 1 in 100, as tabulated (0.0018 to 0.0545)
    expect(low).toBeCloseTo(0.0018, 3)
    expect(high).toBeCloseTo(0.0545, 3)
    const nearlyAll = classifyTable(table, { sampledFrom: 101 }).columns[0]!.nulls
    expect(nearlyAll.high - nearlyAll.low).toBeLessThan((high - low) / 5)
  })

  test('of everything is everything', () => {
    const { rows, columns } = classifyTable(table, { sampledFrom: 100 })
    expect(rows.sampled).toBe(false)
    expect(columns[0]!.nulls).toEqual({ value: 0.01, low: 0.01, high: 0.01 })
  })

  test('of nobody knows how many is one of endless many', () => {
    const { rows, columns } = classifyTable(table, { sampledFrom: null })
    expect(rows).toEqual({ read: 100, total: null, sampled: true })
    expect(columns[0]!.nulls.high).toBeCloseTo(0.0545, 3)
  })

  test('covers the truth about 95 times in 100', () => {
    let covered = 0
    const population = Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5000 < 1000)
    let state = 42
    for (let trial = 0; trial < 400; trial++) {
      const sample = Array.from({ length: 200 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return population[Math.floor((state / 2 ** 32) * 5000)] ? null : 'x'
      })
      const { low, high } = classifyTable(new Table({ c: vectorFromArray(sample, new Utf8()) }), {
        sampledFrom: null,
      }).columns[0]!.nulls
      if (low <= 0.2 && 0.2 <= high) covered++
    }
    // 95 % of 400 is 380, three standard deviations are 13
    expect(covered).toBeGreaterThan(366)
    expect(covered).toBeLessThan(394)
  })
})

describe('types', () => {
  test('identity numbers in numbers are refused, with row and column and no value', async () => {
    const values = ['119901194912310029', ...identities(40).filter(value => !value.endsWith('X'))]
    const tables = {
      float: new Table({ sfzh: vectorFromArray([null, ...values.map(Number)], new Float64()) }),
      integer: new Table({ sfzh: vectorFromArray([null, ...values.map(BigInt)], new Int64()) }),
    }
    for (const table of Object.values(tables)) {
      const error = failure(() => classifyTable(table))
      expect(error.code).toBe('SCHEMA_INVALID')
      expect(error.rule).toBe('identity-number.numeric')
      expect(error.facts).toMatchObject({ column: 'sfzh', row: 2 })
      expect(JSON.stringify(error.toJSON())).not.toContain('1199')
      const drawn = failure(() => classifyTable(table, { sampledFrom: 1000 }))
      expect(drawn.facts).not.toHaveProperty('row')
    }
    const decimals = vectorFromArray([identityWords()], new Decimal(0, 38, 128))
    await expect(() => classifyTable(new Table({ c: decimals }))).toThrowWithCode('SCHEMA_INVALID')
  })

  test('other numbers of 18 digits are not', () => {
    const orders = Array.from(
      { length: 100 },
      (_, i) => 100_000_000_000_000_007n * BigInt(1 + (i % 9)) + BigInt(i * 7919),
    )
    expect(
      classifyTable(new Table({ order_no: vectorFromArray(orders, new Int64()) })).columns[0]!.entity,
    ).toBeNull()
  })

  test('numbers and dates are recognized as their text would be', () => {
    const mobiles = Array.from({ length: 30 }, (_, i) => 13_800_000_000 + i)
    const days = Array.from({ length: 30 }, (_, i) => new Date(Date.UTC(1970, i, 3)))
    const table = new Table({
      a: vectorFromArray(mobiles.map(BigInt), new Int64()),
      b: vectorFromArray(mobiles, new Float64()),
      csrq: vectorFromArray(days, new DateDay()),
      salary: vectorFromArray(
        mobiles.map(n => n / 1e7),
        new Float64(),
      ),
    })
    expect(classifyTable(table).columns.map(({ entity }) => entity?.entity)).toEqual([
      'mobile',
      'mobile',
      'date-of-birth',
      'amount',
    ])
  })

  test('a rule goes with the column, or the column is left out', () => {
    const mobiles = Array.from({ length: 30 }, (_, i) => 13_800_000_000 + i)
    const rule = (table: Table, options = {}) => classifyTable(table, options).columns[0]!.rule
    const text = new Table({ phone: vectorFromArray(mobiles.map(String), new Utf8()) })
    const number = new Table({ phone: vectorFromArray(mobiles, new Float64()) })
    const token = { kind: 'token', key: 'provider', domain: 'default', algorithm: 'aes-cmac' }
    expect(rule(text)).toEqual(token)
    expect(rule(number)).toEqual({ kind: 'drop' })
    // a CSV file's text, which a zone would take for numbers, can still be tokenized
    const types = new Map([['phone', { kind: 'integer', bits: 64, signed: true }]])
    expect(rule(text, { types })).toEqual(token)
    expect(classifyTable(text, { types }).columns[0]!.type).toBe('int64')
    expect(rule(new Table({ other: vectorFromArray(['a', 'b'], new Utf8()) }))).toEqual({ kind: 'drop' })
  })

  test('a list is refused by its column', async () => {
    const schema = new Schema([new Field('c', new List(new Field('item', new Utf8())))])
    await expect(() => new Classifier(schema)).toThrowWithCode('SCHEMA_INVALID', 'column-type')
    await expect(() => new Classifier(new Schema([new Field('c', new Binary())]))).toThrowWithCode(
      'SCHEMA_INVALID',
    )
  })
})

describe('numbers of persons inside texts', () => {
  test.each([
    ['申请人来电13800138000，已登记。', 1],
    ['身份证11010519491231002X号持有人', 1],
    ['card 4111111111111111 was charged', 1],
    ['mail: {"id":"11010519491231002X"}', 1],
    ['订单号113800138000已发货', 0],
    ['身份证110105194912310021号持有人', 0],
    ['合计￥13800138000.50元整', 0],
    ['13800138000', 0],
    ['批次A13800138000号产品', 0],
  ])('%s: %i', (text, count) => {
    const table = new Table({ remark: vectorFromArray([text, '无', null], new Utf8()) })
    const [column] = classifyTable(table).columns
    expect(column!.embedded.value).toBeCloseTo(count / 3)
  })
})

describe('bad cells', () => {
  const raw = (cells: readonly Uint8Array[]) => {
    const offsets = Int32Array.from([
      0,
      ...cells.map((_, i) => cells.slice(0, i + 1).reduce((n, c) => n + c.length, 0)),
    ])
    const data = new Uint8Array(offsets.at(-1)!)
    for (const [i, cell] of cells.entries()) data.set(cell, offsets[i])
    return new Table({
      remark: makeVector(makeData({ type: new Utf8(), length: cells.length, valueOffsets: offsets, data })),
    })
  }
  const text = (value: string) => new TextEncoder().encode(value)

  test('text that is not UTF-8 is refused by row and column; GBK is called so', () => {
    const gbk = Uint8Array.of(0xd5, 0xc5, 0xce, 0xb0)
    const error = failure(() => classifyTable(raw([text('张伟'), text('x'), gbk])))
    expect(error).toMatchObject({
      code: 'FILE_FORMAT',
      rule: 'encoding',
      facts: { column: 'remark', row: 3 },
    })
    expect(error.remedy).toContain('GBK')
    const broken = failure(() => classifyTable(raw([Uint8Array.of(0xff, 0xff)])))
    expect(broken.remedy).not.toContain('GBK')
  })

  test('a cell of 10 MB is refused by row and column, one of 1 MiB is not', () => {
    const error = failure(() => classifyTable(raw([text('x'), text('x'.repeat(10_000_000))])))
    expect(error).toMatchObject({
      code: 'FILE_TOO_LARGE',
      rule: 'cell.size',
      facts: { column: 'remark', row: 2 },
    })
    expect(classifyTable(raw([text('x'.repeat(1 << 20))])).rows.read).toBe(1)
  })
})

describe('classify', () => {
  test('asks for batches one by one, says how far it is, and stops when told', async () => {
    const table = new Table({ c: vectorFromArray(identities(10), new Utf8()) })
    const stop = new AbortController()
    const told: (number | undefined)[] = []
    async function* batches() {
      for (let i = 0; i < 5; i++) {
        yield table.batches[0]!
        if (i === 2) stop.abort(new Error('enough'))
      }
    }
    const running = classify(table.schema, batches(), {
      signal: stop.signal,
      expectedRows: 50,
      onProgress: ({ fraction }) => told.push(fraction),
    })
    await expect(running).rejects.toThrow('enough')
    expect(told).toEqual([0.2, 0.4, 0.6])
    const { rows } = await classify(table.schema, table.batches)
    expect(rows).toEqual({ read: 10, total: 10, sampled: false })
  })
})

/** 119901194912310029 as four 32-bit words. */
function identityWords(): Uint32Array {
  const value = 119_901_194_912_310_029n
  return Uint32Array.of(Number(value & 0xffff_ffffn), Number(value >> 32n), 0, 0)
}
