import { columnOfVector, type TextColumn } from '@sluice/core/desensitize'
import { makeData, makeVector, Utf8 } from 'apache-arrow'
import { generator } from './apply.ts'

/** Values that look like what the rules are for, three in four of them damaged. */
const SEEDS = [
  '13800138000',
  '110101190001010015',
  '11010119000101001X',
  '11010519491231002X',
  '91350100M000100Y43',
  '110101900101001',
  '0571-88888888',
  '01066666666',
  '6222020000000000',
  '4000000000000000002',
  'zhang.san@example.com',
  '浙A12345',
  '京AD12345',
  '粤Z1234港',
  '91330106MA00000000',
  'E12345678',
  'EA1234567',
  '张三',
  '欧阳修文',
  '阿卜杜·热西提',
  '𠮷田',
  '浙江省杭州市西湖区文三路1号',
  '北京市朝阳区建国路1号',
  '四川省阿坝藏族羌族自治州汶川县某处',
  '2024-05-17',
  '20240517',
  '330106',
  '330106001002',
  '***',
  '',
]
const DAMAGE = [
  '１',
  '*',
  'x',
  ' ',
  '-',
  '@',
  '·',
  '𠮷',
  '\u0301',
  '\u200b',
  '\n',
  '0',
  '张',
  '👨‍👩‍👧',
  '🇨',
  '\0',
  'é',
  '_',
]

export const VALUES = 1_000_000

/** SLUICE_FUZZ=full tries a million values of the slow rules too. */
export const FULL = process.env['SLUICE_FUZZ'] === 'full'

/** A million of them, in one column. */
export function fuzzed(): TextColumn {
  const random = generator(7)
  const parts: Uint8Array[] = []
  const offsets = new Int32Array(VALUES + 1)
  for (let i = 0; i < VALUES; i++) {
    let value = SEEDS[random(SEEDS.length)]!
    for (let times = random(4) === 0 ? 0 : 1 + random(2); times > 0; times--) {
      const at = random(value.length + 1)
      value =
        value.slice(0, at) +
        (random(3) > 0 ? DAMAGE[random(DAMAGE.length)]! : '') +
        value.slice(at + random(2))
    }
    // a cut through a surrogate pair becomes U+FFFD, as in any file
    const bytes = Buffer.from(value)
    parts.push(bytes)
    offsets[i + 1] = offsets[i]! + bytes.length
  }
  const data = makeData({
    type: new Utf8(),
    length: VALUES,
    nullCount: 0,
    valueOffsets: offsets,
    data: Buffer.concat(parts),
  })
  return columnOfVector(makeVector(data)) as TextColumn
}

export function textAt({ bytes, offsets }: TextColumn, i: number): string {
  return Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString()
}

export function equalAt(a: TextColumn, b: TextColumn, i: number): boolean {
  const size = a.offsets[i + 1]! - a.offsets[i]!
  if (b.offsets[i + 1]! - b.offsets[i]! !== size) return false
  for (let k = 0; k < size; k++) {
    if (a.bytes[a.offsets[i]! + k] !== b.bytes[b.offsets[i]! + k]) return false
  }
  return true
}
