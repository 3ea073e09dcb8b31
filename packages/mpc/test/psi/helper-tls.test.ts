import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PartyLedger, type PsiResult, reservePort, runPsi } from '@sluice/mpc'
import { approvePsi, freshPsiJob, type PsiJob, parsePsiJob, readPsiItems } from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { person } from '../session/parties.js'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-psi-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const OWNERS = ['bureau', 'bank', 'insurer', 'telecom']
/** every second, third, … number below 60 from the owner's first on */
const numbersOf = (owner: number) =>
  Array.from({ length: 60 }, (_, i) => i).filter(i => i % (owner + 1) === 0)
const taxOf = (number: number) => (number - 30) * 100 + 1

/** Where the helper stands among the parties, it has another index. */
async function jobOf(owners: number, helperAt: number, learns: string, minimum: number): Promise<PsiJob> {
  const names = OWNERS.slice(0, owners)
  names.splice(helperAt, 0, 'operator')
  const parties = await Promise.all(
    names.map(async name => ({
      name,
      key: person(name).publicKey,
      host: '127.0.0.1',
      port: await reservePort(),
    })),
  )
  return parsePsiJob({
    ...freshPsiJob(),
    purpose: 'customers that all know',
    parties,
    protocol: 'helper',
    helper: 'operator',
    key: [{ name: 'id', normalize: [] }],
    size: { floor: 1, ceiling: 64, step: 64 },
    receivers: [{ name: 'bank', learns }],
    ...(learns === 'sum' && { sum: { owner: 'insurer', column: 'tax', scale: 2, bound: '100' } }),
    payload: [],
    minimumIntersection: minimum,
    quota: { runs: 1, lifetimeItems: 1000 },
    seconds: 60,
  })
}

/** Every party over mutual TLS. */
async function run(job: PsiJob): Promise<Map<string, PsiResult | Error>> {
  const outcomes = await Promise.allSettled(
    job.parties.map(async ({ name }) => {
      const signer = person(name)
      const owner = OWNERS.indexOf(name)
      const text = (values: readonly string[]) => vectorFromArray(values, new Utf8())
      const table = new Table({
        id: text(numbersOf(owner).map(String)),
        tax: text(numbersOf(owner).map(number => (taxOf(number) / 100).toFixed(2))),
      })
      const sum = job.sum?.owner === name ? { sum: 'tax' } : {}
      const items = owner < 0 ? undefined : await readPsiItems(job, [table], { key: ['id'], ...sum })
      return runPsi(job, {
        signer,
        approval: await approvePsi(job, signer, items),
        ...(items !== undefined && { items }),
        ledger: await PartyLedger.open(join(root, `${job.nonce}-${name}`), signer),
        wait: 30,
      })
    }),
  )
  return new Map(
    outcomes.map((outcome, i) => [
      job.parties[i]!.name,
      outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error),
    ]),
  )
}

describe('a helper among several, over mutual TLS', () => {
  it.each([
    [3, 0, 'which'],
    [3, 2, 'sum'],
    [4, 4, 'count'],
    [4, 1, 'sum'],
  ])('%i owners, the helper at place %i: %s, to one of them alone', async (owners, helperAt, learns) => {
    const sets = OWNERS.slice(0, owners).map((_, owner) => numbersOf(owner))
    const shared = sets[0]!.filter(number => sets.every(set => set.includes(number)))
    const job = await jobOf(owners, helperAt, learns, shared.length)
    const results = await run(job)
    const failed = [...results.values()].filter(result => result instanceof Error)
    expect(failed).toEqual([])
    for (const [name, result] of results) {
      const { count, matched, sum } = result as PsiResult
      if (name !== 'bank') expect({ count, matched, sum }).toEqual({})
      else {
        expect(count).toBe(shared.length)
        const total = shared.reduce((so, number) => so + taxOf(number), 0)
        expect(sum).toBe(learns === 'sum' ? (total / 100).toFixed(2) : undefined)
        const wanted = sets[1]!.map(number => (shared.includes(number) ? 1 : 0))
        expect(matched && [...matched]).toEqual(learns === 'which' ? wanted : undefined)
      }
    }
  })

  it('opens nothing below the minimum among four owners', async () => {
    const results = await run(await jobOf(4, 2, 'sum', 6))
    expect(results.get('bank')).toMatchObject({ code: 'DISCLOSURE_REFUSED' })
    for (const name of ['bureau', 'insurer', 'telecom', 'operator']) {
      expect(results.get(name)).not.toBeInstanceOf(Error)
    }
  })
})
