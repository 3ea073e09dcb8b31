import { createHmac } from 'node:crypto'
import { commit, openCommitment } from '@sluice/ledger'
import { expect, test } from 'vitest'

const bytes = Buffer.from('{"year":2001}')

test('a commitment opens to what was committed to, under its own purpose alone', async () => {
  const made = commit('parameters', bytes)
  expect(() => openCommitment('parameters', made, bytes)).not.toThrow()
  await expect(() => openCommitment('result', made, bytes)).toThrowWithCode('PROOF_INVALID')
  await expect(() => openCommitment('parameters', made, Buffer.from('{"year":2002}'))).toThrowWithCode(
    'PROOF_INVALID',
  )
  const other = commit('parameters', bytes)
  expect(other.commitment).not.toBe(made.commitment)
  await expect(() => openCommitment('parameters', { ...made, salt: other.salt }, bytes)).toThrowWithCode(
    'PROOF_INVALID',
  )
  await expect(() => openCommitment('parameters', { ...made, salt: '' }, bytes)).toThrowWithCode(
    'PROOF_INVALID',
  )
})

test('it is HMAC-SHA-256 under the salt, as the documentation says', () => {
  const { commitment, salt } = commit('result', bytes, length => new Uint8Array(length).fill(7))
  expect(salt).toBe('07'.repeat(32))
  const expected = createHmac('sha256', Buffer.alloc(32, 7)).update(`sluice-commitment/v1\nresult\n${bytes}`)
  expect(commitment).toBe(expected.digest('hex'))
})
