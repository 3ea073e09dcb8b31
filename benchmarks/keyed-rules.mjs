// Keyed rules over whole columns, Arrow to Arrow, beside what one would write by row: HMAC of node:crypto, and FF1 and
// AES-SIV of @noble/ciphers. Turn about, so that both see the same machine; the best of the runs each.
import { createHmac } from 'node:crypto'
import { aessiv } from '@noble/ciphers/aes.js'
import { FF1 } from '@noble/ciphers/ff1.js'
import { columnOfVector, dataOfColumn, definitionOf, Rule } from '@sluice/core/desensitize'
import { makeData, makeVector, Utf8 } from 'apache-arrow'

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i)
const KEYED = { key: 'k', domain: 'bench' }
/** By row is slow: as many rows as take about as long. */
const PEER_ROWS = { hmac: 200_000, noble: 5000 }

const CASES = [
  {
    name: 'token, AES-CMAC',
    rule: { kind: 'token', ...KEYED },
    values: phones,
    peer: 'HMAC-SHA-256 by row',
    peerRows: PEER_ROWS.hmac,
    byRow: value => createHmac('sha256', SECRET).update(value).digest('hex'),
  },
  {
    name: 'token, SM4-CMAC',
    rule: { kind: 'token', algorithm: 'sm4-cmac', ...KEYED },
    values: phones,
    peer: 'HMAC-SM3 by row',
    peerRows: PEER_ROWS.hmac,
    byRow: value => createHmac('sm3', SECRET).update(value).digest('hex'),
  },
  {
    name: 'reversible token',
    rule: { kind: 'reversible-token', ...KEYED },
    values: phones,
    peer: '@noble/ciphers AES-SIV by row',
    peerRows: PEER_ROWS.noble,
    byRow: value => Buffer.from(aessiv(SECRET).encrypt(Buffer.from(value))).toString('hex'),
  },
  {
    name: 'FF1, 11 digits',
    rule: { kind: 'fpe', length: 11, ...KEYED },
    values: phones,
    peer: '@noble/ciphers FF1 by row',
    peerRows: PEER_ROWS.noble,
    byRow: value => noble().encrypt(Array.from(value, Number)).join(''),
  },
  {
    name: 'surrogate identity number',
    rule: { kind: 'surrogate-identity-number', ...KEYED },
    values: identityNumbers,
    peer: '@noble/ciphers FF1 of 17 digits by row',
    peerRows: PEER_ROWS.noble,
    byRow: value =>
      noble()
        .encrypt(Array.from(value.slice(0, 17), Number))
        .join(''),
  },
]

/**
 * @param {{ rows?: number, runs?: number }} [options]
 * @returns {Promise<object[]>} cases as `bench` of a subject returns them
 */
export async function keyedRules({ rows = 1_000_000, runs = 5 } = {}) {
  const cases = []
  for (const { name, rule: description, values, peer, peerRows, byRow } of CASES) {
    const rule = Rule.parse(description)
    const texts = values(rows)
    const vector = textVector(texts)
    const apply = await definitionOf(rule).bind(rule, {
      dataset: 'bench',
      column: 'v',
      type: { kind: 'text' },
      key: () => SECRET,
      table: () => new Map(),
      random: size => new Uint8Array(size),
    })
    const ours = () => {
      const { column, changed } = apply(columnOfVector(vector), { row: 0, entity: null })
      // the odd fixed point of a permutation is hidden
      if (changed < rows - 20) throw new Error(`${name}: ${rows - changed} values were hidden`)
      return makeVector(dataOfColumn(column)).length
    }
    const theirs = () => {
      let size = 0
      for (let i = 0; i < peerRows; i++) size += byRow(texts[i]).length
      return size
    }
    let [best, other] = [Infinity, Infinity]
    for (let run = 0; run < runs; run++) {
      best = Math.min(best, seconds(ours) / rows)
      other = Math.min(other, seconds(theirs) / peerRows)
    }
    cases.push({
      bench: 'desensitize',
      case: name,
      metric: 'rows',
      value: round(1 / best / 1e6),
      unit: 'M rows/s',
      peer,
      peerValue: round(1 / other / 1e6),
      ratio: round(other / best),
    })
  }
  return cases
}

function noble() {
  // one of its ciphers encrypts once
  return FF1(10, SECRET)
}

/** Made by counting. */
function phones(rows) {
  return Array.from({ length: rows }, (_, i) => `139${String(i * 97).padStart(8, '0')}`)
}

/** Well formed, made by counting. */
function identityNumbers(rows) {
  const weights = Array.from({ length: 17 }, (_, i) => 2 ** (17 - i) % 11)
  return Array.from({ length: rows }, (_, i) => {
    const year = 1950 + (i % 50)
    const month = String(1 + (i % 12)).padStart(2, '0')
    const area = 330_000 + (Math.floor(i / 1000) % 1000)
    const body = `${area}${year}${month}15${String(i % 1000).padStart(3, '0')}`
    const sum = weights.reduce((total, weight, k) => total + weight * Number(body[k]), 0)
    return body + '10X98765432'[sum % 11]
  })
}

function textVector(texts) {
  const bytes = Buffer.from(texts.join(''))
  const offsets = new Int32Array(texts.length + 1)
  for (let i = 0; i < texts.length; i++) offsets[i + 1] = offsets[i] + texts[i].length
  return makeVector(
    makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets: offsets, data: bytes }),
  )
}

function seconds(task) {
  const start = performance.now()
  task()
  return (performance.now() - start) / 1000
}

function round(value) {
  return Math.round(value * 1000) / 1000
}
