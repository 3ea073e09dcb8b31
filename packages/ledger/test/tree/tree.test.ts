import { readFileSync } from 'node:fs'
import {
  CompactRange,
  consistencyProof,
  decodeBundle,
  emptyRoot,
  encodeBundle,
  inclusionProof,
  leafHash,
  tileLevels,
  tilePath,
  tileReader,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from '@sluice/ledger'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MTH, PATH, PROOF, tile } from './oracle.js'

const bytes = (text: string | null) => Buffer.from(text ?? '', 'base64')

function vectors<T>(name: string): T[] {
  const file = new URL(`./vectors/rfc6962/${name}.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: T[] }).cases
}

interface InclusionCase {
  readonly name: string
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: string[] | null
  readonly wantErr: boolean
}

interface ConsistencyCase {
  readonly name: string
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: string[] | null
  readonly wantErr: boolean
}

describe('vectors of Certificate Transparency', () => {
  test.each(vectors<InclusionCase>('inclusion').map(each => [each.name, each] as const))(
    'inclusion %s',
    async (_, each) => {
      const verify = () =>
        verifyInclusion(
          bytes(each.leafHash),
          each.leafIdx,
          each.treeSize,
          (each.proof ?? []).map(bytes),
          bytes(each.root),
        )
      if (each.wantErr) await expect(verify).toThrowWithCode('PROOF_INVALID')
      else expect(verify()).toBeUndefined()
    },
  )

  test.each(vectors<ConsistencyCase>('consistency').map(each => [each.name, each] as const))(
    'consistency %s',
    async (_, each) => {
      const verify = () =>
        verifyConsistency(
          each.size1,
          each.size2,
          (each.proof ?? []).map(bytes),
          bytes(each.root1),
          bytes(each.root2),
        )
      if (each.wantErr) await expect(verify).toThrowWithCode('PROOF_INVALID')
      else expect(verify()).toBeUndefined()
    },
  )

  test('roots of the trees of 0 to 8 leaves', () => {
    // transparency-dev/merkle, testonly/constants.go
    const leaves = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ]
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const range = new CompactRange()
    expect(Buffer.from(range.root()).toString('hex')).toBe(roots[0])
    leaves.forEach((leaf, i) => {
      range.append(leafHash(Buffer.from(leaf, 'hex')))
      expect(Buffer.from(range.root()).toString('hex')).toBe(roots[i + 1])
    })
    expect(emptyRoot().toString('hex')).toBe(roots[0])
  })
})

const leavesOf = (size: number) => Array.from({ length: size }, (_, i) => Buffer.from(`leaf ${i}`))
const readerOf = (D: readonly Uint8Array[]) =>
  tileReader(D.length, async (level, index, width) => tile(D, level, index, width))

describe('against RFC 6962 word for word', () => {
  const sizes = [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 777]

  test.each(sizes)('a tree of %i: root, every path, every proof by tiles', async size => {
    const D = leavesOf(size)
    const read = readerOf(D)
    const range = new CompactRange()
    const roots = [emptyRoot()]
    for (const leaf of D) {
      range.append(leafHash(leaf))
      roots.push(Buffer.from(range.root()))
    }
    const root = MTH(D)
    expect(roots[size]).toEqual(root)
    const step = Math.max(1, Math.floor(size / 40))
    for (let m = 0; m < size; m += step) {
      const path = await inclusionProof(m, size, read)
      expect(path).toEqual(PATH(m, D))
      verifyInclusion(leafHash(D[m]!), m, size, path, root)
      if (m === 0) continue
      const proof = await consistencyProof(m, size, read)
      expect(proof).toEqual(PROOF(m, D))
      verifyConsistency(m, size, proof, roots[m]!, root)
    }
  })

  test('a changed hash, index or size fails', async () => {
    const D = leavesOf(300)
    const root = MTH(D)
    const read = readerOf(D)
    await fc.assert(
      fc.asyncProperty(fc.nat(299), fc.nat(299), fc.nat(8), fc.nat(31), async (index, other, at, byte) => {
        fc.pre(index !== other)
        const path = await inclusionProof(index, 300, read)
        const leaf = leafHash(D[index]!)
        await expect(() => verifyInclusion(leaf, other, 300, path, root)).toThrowWithCode('PROOF_INVALID')
        await expect(() => verifyInclusion(leafHash(D[other]!), index, 300, path, root)).toThrowWithCode(
          'PROOF_INVALID',
        )
        const changed = path.map(each => Buffer.from(each))
        changed[at % changed.length]![byte]! ^= 1
        await expect(() => verifyInclusion(leaf, index, 300, changed, root)).toThrowWithCode('PROOF_INVALID')
      }),
      { numRuns: 60 },
    )
  })

  test('nothing that is not a count is taken for one', async () => {
    const root = emptyRoot()
    for (const size of [-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1, Number.POSITIVE_INFINITY]) {
      await expect(() => verifyInclusion(root, 0, size, [], root)).toThrowWithCode('PROOF_INVALID')
      await expect(() => verifyConsistency(size, size, [], root, root)).toThrowWithCode('PROOF_INVALID')
    }
  })
})

describe('tiles (C2SP tlog-tiles)', () => {
  test.each([
    [0, 0, 256, 'tile/0/000'],
    [0, 273, 112, 'tile/0/273.p/112'],
    ['entries', 1234067, 256, 'tile/entries/x001/x234/067'],
    [1, 1, 17, 'tile/1/001.p/17'],
    [2, 999, 256, 'tile/2/999'],
    [0, 1000, 256, 'tile/0/x001/000'],
  ] as const)('level %s, index %i, width %i is %s', (level, index, width, path) => {
    expect(tilePath(level, index, width)).toBe(path)
  })

  test('the example of the specification: a tree of 70,000', () => {
    expect(tileLevels(70_000)).toBe(3)
    expect(tileWidth(0, 272, 70_000)).toBe(256)
    expect(tileWidth(0, 273, 70_000)).toBe(112)
    expect(tileWidth(0, 274, 70_000)).toBe(0)
    expect(tileWidth(1, 0, 70_000)).toBe(256)
    expect(tileWidth(1, 1, 70_000)).toBe(17)
    expect(tileWidth(2, 0, 70_000)).toBe(1)
    expect(tileLevels(256)).toBe(2)
    expect(tileLevels(255)).toBe(1)
    expect(tileLevels(0)).toBe(0)
  })

  test('bundles round trip, and nothing else is one', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), entries => {
        const bundle = encodeBundle(entries)
        expect(decodeBundle(bundle, entries.length).map(each => [...each])).toEqual(
          entries.map(each => [...each]),
        )
        expect(() => decodeBundle(bundle, entries.length + 1)).toThrow()
        if (entries.length > 0) expect(() => decodeBundle(bundle, entries.length - 1)).toThrow()
        expect(() => decodeBundle(Buffer.concat([bundle, Buffer.of(0)]), entries.length)).toThrow()
      }),
    )
  })
})
