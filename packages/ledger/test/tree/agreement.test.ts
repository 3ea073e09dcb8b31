import { readFileSync } from 'node:fs'
import { verifyConsistency, verifyInclusion } from '@sluice/ledger'
import { checkConsistency, checkInclusion } from '@sluice/ledger/verify'
import { expect, test } from 'vitest'

/** The verifier's own proof checks against the vectors of Certificate Transparency, and against the writer's. */
function vectors<T>(name: string): T[] {
  const file = new URL(`./vectors/rfc6962/${name}.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: T[] }).cases
}
const bytes = (text: string | null) => Buffer.from(text ?? '', 'base64')
const holds = (action: () => void) => {
  try {
    action()
    return true
  } catch {
    return false
  }
}

interface Inclusion {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: string[] | null
  readonly wantErr: boolean
}

interface Consistency {
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: string[] | null
  readonly wantErr: boolean
}

test('inclusion', () => {
  for (const each of vectors<Inclusion>('inclusion')) {
    const input = [
      bytes(each.leafHash),
      each.leafIdx,
      each.treeSize,
      (each.proof ?? []).map(bytes),
      bytes(each.root),
    ] as const
    expect(holds(() => checkInclusion(...input))).toBe(!each.wantErr)
    expect(holds(() => verifyInclusion(...input))).toBe(!each.wantErr)
  }
})

test('consistency', () => {
  for (const each of vectors<Consistency>('consistency')) {
    const proof = (each.proof ?? []).map(bytes)
    const input = [each.size1, each.size2, proof, bytes(each.root1), bytes(each.root2)] as const
    expect(holds(() => checkConsistency(...input))).toBe(!each.wantErr)
    expect(holds(() => verifyConsistency(...input))).toBe(!each.wantErr)
  }
})
