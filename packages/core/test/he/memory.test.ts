import { expect, it } from 'vitest'
import { AUDITOR, auditOf, begin, contribution, DISTRICTS, inputs, opened, sumOf } from './fixture.ts'

interface Memory {
  readonly buffer: ArrayBuffer
}
interface Engine {
  Memory: new (...given: never[]) => Memory
  instantiate(...given: unknown[]): Promise<{ instance: { exports: Record<string, unknown> } }>
}

/** The memory of every WebAssembly module that is started from here on. */
const memories: Memory[] = []
const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly
const instantiate = engine.instantiate
engine.instantiate = async (...given) => {
  const result = await instantiate(...given)
  for (const value of Object.values(result.instance.exports)) {
    if (value instanceof engine.Memory) memories.push(value)
  }
  return result
}

const heap = () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)

it('does not grow over ten thousand operations', async () => {
  const round = await begin(undefined, { columns: { amount: { minimum: '0', maximum: '1000' } } })
  expect(AUDITOR.name).toBe(round.aggregation.auditor?.name)
  let operations = 0
  /** Contributions of three districts, their sum, its audit, its opening: keys, ciphertexts, plaintexts. */
  const once = async () => {
    const contributions: Uint8Array[] = []
    for (const district of DISTRICTS.slice(0, 3)) {
      contributions.push(
        await contribution(round, district, [[1, 3, 4].map(value => Float64Array.of(value))]),
      )
    }
    const sum = await sumOf(round, contributions)
    await opened(round, inputs(round, sum, await auditOf(round, sum, contributions)))
    // of SEAL's, for three components: 9 times encode, encrypt and save, 3 times load, decrypt and decode
    operations += 9 * 3 + 3 * 3
  }
  for (let i = 0; i < 10; i++) await once()
  const settled = heap()
  expect(settled).toBeGreaterThan(2 ** 20)
  while (operations < 10_000) await once()
  expect(heap()).toBe(settled)
})
