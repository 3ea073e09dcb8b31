import { type Exchange, PAUSE, type Protocol, runLocally, together } from '@sluice/mpc'
import { expect, it } from 'vitest'
import { type Given, openAll } from './parties.js'

const NOTHING: Exchange = { send: [], receive: [] }

/** How often this process looked after its connections, before each of the protocol's steps. */
async function turnsBetween(step: Exchange): Promise<{ turns: number[]; rounds: number }> {
  const [opened] = await openAll()
  if (opened!.status === 'rejected') throw opened!.reason
  let turn = 0
  let next = setImmediate(function tick() {
    turn++
    next = setImmediate(tick)
  })
  function* busy(): Protocol<number[]> {
    const turns: number[] = []
    for (let i = 0; i < 5; i++) {
      turns.push(turn)
      yield step
    }
    return turns
  }
  const turns = await opened!.value.run(busy())
  clearImmediate(next)
  return { turns, rounds: opened!.value.traffic.rounds }
}

it('a pause lets the session look after its connections, and is no round', async () => {
  const { turns, rounds } = await turnsBetween(PAUSE)
  expect(turns.every((turn, i) => i === 0 || turn > turns[i - 1]!)).toBe(true)
  expect(rounds).toBe(0)
})

it('a round of nothing does not: what is measured depends on the pause', async () => {
  const { turns } = await turnsBetween(NOTHING)
  expect(new Set(turns).size).toBe(1)
})

it('a pause of one participant is none of the others’, side by side with other protocols too', () => {
  function* swapped(self: number, pauses: number): Protocol<number> {
    for (let i = 0; i < pauses; i++) yield PAUSE
    const bytes = Uint8Array.of(self + 5)
    const [first] = yield { send: [{ to: 1 - self, bytes }], receive: [{ from: 1 - self, bytes: 1 }] }
    for (let i = 0; i < pauses; i++) yield PAUSE
    const [second] = yield {
      send: [{ to: 1 - self, bytes: first! }],
      receive: [{ from: 1 - self, bytes: 1 }],
    }
    return second![0]!
  }
  const both = (self: number, pauses: readonly number[]) =>
    together(...pauses.map(count => swapped(self, count)))
  const { outputs, rounds } = runLocally([both(0, [3, 0, 1]), both(1, [0, 0, 2])])
  expect(outputs).toEqual([
    [5, 5, 5],
    [6, 6, 6],
  ])
  expect(rounds).toBe(2)
})

it.each([
  ['its caller interrupts it', 0, 'INTERRUPTED'],
  ['a peer is interrupted', 1, 'PEER_STOPPED'],
])('a session ends in a pause, and not at the next exchange alone, where %s', async (_, who, code) => {
  const stop = new AbortController()
  const given: Given[] = [{}, {}, {}]
  given[who] = { signal: stop.signal }
  const [opened] = await openAll(...given)
  if (opened!.status === 'rejected') throw opened!.reason
  function* busy(): Protocol<string> {
    const deadline = performance.now() + 10_000
    for (let pauses = 0; performance.now() < deadline; pauses++) {
      if (pauses === 3) stop.abort()
      yield PAUSE
    }
    return 'went on'
  }
  const outcome = await opened!.value.run(busy()).catch((error: { code: string }) => error.code)
  expect(outcome).toBe(code)
})
