import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import { memoryMesh, PartyLedger, type PsiResult, type RunPsiOptions, runPsi } from '@sluice/mpc'
import {
  approvePsi,
  freshPsiJob,
  type PsiItems,
  type PsiJob,
  paddedSize,
  parsePsiJob,
  psiEnforcesMinimum,
  psiSeesCount,
  readPsiItems,
} from '@sluice/mpc/psi'
import { Table, tableFromArrays, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { person } from '../session/parties.js'
import { recorded } from './recorded.js'

const NAMES = ['bureau', 'bank', 'operator', 'insurer']
const people = NAMES.map(person)
let root = ''
let runs = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-psi-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

function draft(change: Record<string, unknown> = {}, names = ['bureau', 'bank']) {
  return {
    ...freshPsiJob(),
    purpose: 'companies that both know',
    parties: names.map(name => ({
      name,
      key: people[NAMES.indexOf(name)]!.publicKey,
      host: '127.0.0.1',
      port: 7000,
    })),
    protocol: 'ecdh',
    key: [{ name: 'id', normalize: ['width', 'trim', 'case'] }],
    size: { floor: 1, ceiling: 64, step: 8 },
    receivers: [{ name: 'bank', learns: 'which' }],
    payload: [],
    minimumIntersection: 0,
    quota: { runs: 10, lifetimeItems: 1000 },
    seconds: 60,
    ...change,
  }
}

const helped = (change: Record<string, unknown>, names = ['bureau', 'bank', 'operator']) =>
  parsePsiJob(draft({ protocol: 'helper', helper: 'operator', ...change }, names))

interface Given {
  readonly ids: readonly (string | null)[]
  readonly tax?: readonly string[]
}

const text = (values: readonly (string | null)[]) => vectorFromArray(values, new Utf8())
const tableOf = ({ ids, tax }: Given) =>
  new Table({ id: text(ids), ...(tax !== undefined && { tax: text(tax) }) })

function itemsOf(job: PsiJob, name: string, given: Given): Promise<PsiItems> {
  const sum = job.sum?.owner === name ? { sum: job.sum.column } : {}
  return readPsiItems(job, [tableOf(given)], { key: ['id'], ...sum })
}

/** Every party in this process. */
async function all(
  job: PsiJob,
  inputs: Readonly<Record<string, Given>>,
  more: (name: string) => Partial<RunPsiOptions> = () => ({}),
  records: string | undefined = undefined,
): Promise<Record<string, PsiResult | Error>> {
  runs++
  const mesh = memoryMesh(job.parties.length)
  const folder = records ?? `${runs}`
  const outcomes = await Promise.allSettled(
    job.parties.map(async ({ name }, self) => {
      const signer = people[NAMES.indexOf(name)]!
      const items = inputs[name] === undefined ? undefined : await itemsOf(job, name, inputs[name])
      return runPsi(job, {
        signer,
        approval: await approvePsi(job, signer, items),
        ...(items !== undefined && { items }),
        ledger: await PartyLedger.open(join(root, `${folder}-${name}`), signer),
        streams: mesh[self]!,
        payload: async rows => {
          const whole = tableOf(inputs[name]!)
          return new Table({ tax: text([...rows].map(row => whole.getChild('tax')!.get(row))) })
        },
        ...more(name),
      })
    }),
  )
  return Object.fromEntries(
    outcomes.map((outcome, i) => [
      job.parties[i]!.name,
      outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error),
    ]),
  )
}

function ok(results: Record<string, PsiResult | Error>, name: string): PsiResult {
  const result = results[name]!
  if (result instanceof Error) throw result
  return result
}

const codeOf = (value: unknown) => (isSluiceError(value) ? value.code : 'none')

const bureau = {
  ids: ['ｃ1', 'c2', null, 'C3', 'c2 ', 'c9'],
  tax: ['1.50', '2.25', '100', '-0.75', '4', '8'],
}
const bank = { ids: ['C2', 'x', 'C1', 'c2', '', 'C3'] }

describe('a job', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a helper beside ecdh', { helper: 'bank' }],
    ['no helper with helper', { protocol: 'helper' }],
    ['an unknown receiver', { receivers: [{ name: 'nobody', learns: 'which' }] }],
    [
      'a receiver twice',
      {
        receivers: [
          { name: 'bank', learns: 'which' },
          { name: 'bank', learns: 'count' },
        ],
      },
    ],
    ['a sum of nothing', { receivers: [{ name: 'bank', learns: 'sum' }] }],
    ['a floor above the ceiling', { size: { floor: 65, ceiling: 64, step: 8 } }],
    ['a ceiling between steps', { size: { floor: 1, ceiling: 65, step: 8 } }],
    ['columns of one who learns nothing', { payload: [{ from: 'bureau', to: 'bank', columns: ['tax'] }] }],
    ['an unknown key', { surprise: 1 }],
    ['an unknown rule', { key: [{ name: 'id', normalize: ['lower'] }] }],
  ])('with %s is refused', async (_, change) => {
    await expect(() => parsePsiJob(draft(change))).toThrowWithCode('JOB_INVALID')
  })

  it('whose total could wrap is refused', async () => {
    const sum = { owner: 'bureau', column: 'tax', scale: 2, bound: '1e9' }
    const wanted = { receivers: [{ name: 'bank', learns: 'sum' }] }
    await expect(() => helped({ ...wanted, sum })).toThrowWithCode('JOB_INVALID')
    await expect(() => helped({ ...wanted, sum: { ...sum, bound: '9'.repeat(17) } })).toThrowWithCode(
      'JOB_INVALID',
    )
    expect(helped({ ...wanted, sum: { ...sum, bound: '1000000' } }).sum?.bound).toBe('1000000')
  })

  it('pads sets to its step, and refuses those beyond its floor and ceiling', async () => {
    const job = parsePsiJob(draft({ size: { floor: 5, ceiling: 64, step: 8 } }))
    expect([5, 8, 9, 64].map(count => paddedSize(job, count))).toEqual([8, 8, 16, 64])
    for (const count of [4, 65])
      await expect(() => paddedSize(job, count)).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('two parties', () => {
  it('find rows by their keys in one form: a row without a key matches nothing, rows of one key match together', async () => {
    const results = await all(parsePsiJob(draft()), { bureau, bank })
    expect(ok(results, 'bank')).toMatchObject({ count: 3, matched: Uint8Array.of(1, 0, 1, 1, 0, 1) })
    const { matched, count } = ok(results, 'bureau')
    expect({ matched, count }).toEqual({ matched: undefined, count: undefined })
  })

  it('find the same by every protocol, whoever learns, and tell each other where both do', async () => {
    for (const protocol of ['ecdh', 'kkrt', 'rr22']) {
      for (const receivers of [['bank'], ['bureau'], ['bank', 'bureau'], ['bureau', 'bank']]) {
        const job = parsePsiJob(
          draft({ protocol, receivers: receivers.map(name => ({ name, learns: 'which' })) }),
        )
        const results = await all(job, { bureau, bank })
        const expected = { bank: Uint8Array.of(1, 0, 1, 1, 0, 1), bureau: Uint8Array.of(1, 1, 0, 1, 1, 0) }
        for (const name of ['bank', 'bureau'] as const) {
          expect(ok(results, name).matched).toEqual(receivers.includes(name) ? expected[name] : undefined)
        }
      }
    }
    for (const protocol of ['kkrt', 'rr22']) {
      const counting = draft({ protocol, receivers: [{ name: 'bank', learns: 'count' }] })
      await expect(() => parsePsiJob(counting)).toThrowWithCode('JOB_INVALID')
    }
  })

  it('learn how many alone where the job says so', async () => {
    const receivers = [
      { name: 'bank', learns: 'count' },
      { name: 'bureau', learns: 'count' },
    ]
    const results = await all(parsePsiJob(draft({ receivers })), { bureau, bank })
    for (const name of ['bureau', 'bank']) {
      expect(ok(results, name).count).toBe(3)
      expect(ok(results, name).matched).toBeUndefined()
    }
  })

  const both = NAMES.slice(0, 2).map(name => ({ name, learns: 'which' }))
  const payload = [{ from: 'bureau', to: 'bank', columns: ['tax'] }]

  it('hand over the columns that the job names, of shared keys and no others', async () => {
    const results = await all(parsePsiJob(draft({ receivers: both, payload })), { bureau, bank })
    const { itemOf, columns } = ok(results, 'bank').payload!
    // the bank's different keys, in their order: C2, X, C1, C3
    const pairs = [...itemOf].map((item, i) => [
      ['C2', 'X', 'C1', 'C3'][item],
      columns.getChild('tax')!.get(i),
    ])
    expect(pairs).toEqual([
      ['C1', '1.50'],
      ['C2', '2.25'],
      ['C3', '-0.75'],
      ['C2', '4'],
    ])
    expect(columns.schema.fields.map(({ name }) => name)).toEqual(['tax'])
  })

  it('keep the promise of a minimum: the receiver gives nothing out, the owner hands nothing over', async () => {
    const results = await all(parsePsiJob(draft({ receivers: both, payload, minimumIntersection: 4 })), {
      bureau,
      bank,
    })
    expect([codeOf(results['bank']), codeOf(results['bureau'])].sort()).toContain('DISCLOSURE_REFUSED')
    expect(results['bank']).toBeInstanceOf(Error)
    expect(results['bureau']).toBeInstanceOf(Error)
  })

  it('see each other’s sizes as padded, whatever they are', async () => {
    const traffic = async (count: number) => {
      const given = { ids: Array.from({ length: count }, (_, i) => `only ${i}`) }
      const results = await all(parsePsiJob(draft()), { bureau: given, bank })
      const begun = (await recorded(join(root, `${runs}-bank`)))[0]
      return { bytes: ok(results, 'bank').traffic.bytesReceived, begun }
    }
    const [few, many] = [await traffic(9), await traffic(16)]
    expect(few.bytes).toBe(many.bytes)
    expect(many.begun).toMatchObject({
      kind: 'psi-start',
      items: 8,
      counterparts: [{ name: 'bureau', items: 0 }],
    })
  })
})

describe('a total between two', () => {
  const sum = { owner: 'bureau', column: 'tax', scale: 2, bound: '100000' }
  const between = (receiver: string, change: Record<string, unknown> = {}) =>
    parsePsiJob(draft({ receivers: [{ name: receiver, learns: 'sum' }], sum, ...change }))

  it.each([
    ['bank', 'bureau'],
    ['bureau', 'bank'],
  ])('is learnt by %s alone, each key’s rows together', async (receiver, other) => {
    const results = await all(between(receiver), { bureau, bank })
    expect(ok(results, receiver)).toMatchObject({ count: 3, sum: '7.00' })
    const { count, sum: told, matched } = ok(results, other)
    expect({ count, told, matched }).toEqual({ count: undefined, told: undefined, matched: undefined })
    const [start, end] = await recorded(join(root, `${runs}-bureau`))
    // the bank sees how many are shared, and has tested its items, whoever receives
    expect(start).toMatchObject({ counterparts: [{ name: 'bank', items: 8 }] })
    expect('resultCommitment' in end!).toBe(receiver === 'bureau')
  })

  it.each([['bank'], ['bureau']])('is at its end at both sides, told to %s', async receiver => {
    const last = new Map<string, number>()
    const results = await all(between(receiver), { bureau, bank }, name => ({
      onProgress: fraction => last.set(name, fraction),
    }))
    expect(ok(results, receiver).count).toBe(3)
    expect([...last.values()]).toEqual([1, 1])
  })

  it.each([['bank'], ['bureau']])('of fewer than the minimum is not given to %s', async receiver => {
    expect(
      ok(await all(between(receiver, { minimumIntersection: 3 }), { bureau, bank }), receiver).count,
    ).toBe(3)
    const below = await all(between(receiver, { minimumIntersection: 4 }), { bureau, bank })
    expect(codeOf(below[receiver])).toBe('DISCLOSURE_REFUSED')
  })

  it('says who holds the receiver to the minimum, and who sees how many are shared', () => {
    expect(psiEnforcesMinimum(between('bureau'))).toBe(true)
    expect(psiEnforcesMinimum(between('bank'))).toBe(false)
    expect([0, 1].map(index => psiSeesCount(between('bureau'), index))).toEqual([false, true])
    expect([0, 1].map(index => psiSeesCount(parsePsiJob(draft()), index))).toEqual([false, false])
  })

  it.each<[string, Record<string, unknown>]>([
    ['by a protocol that tells which', { protocol: 'kkrt' }],
    ['for two receivers', { receivers: ['bank', 'bureau'].map(name => ({ name, learns: 'sum' })) }],
    [
      'beside which',
      {
        receivers: [
          { name: 'bank', learns: 'sum' },
          { name: 'bureau', learns: 'which' },
        ],
      },
    ],
    ['beyond what is searched', { sum: { ...sum, bound: '50000000000' } }],
    ['of nobody’s column', { sum: { ...sum, owner: 'operator' } }],
  ])('is refused %s', async (_, change) => {
    await expect(() => between('bank', change)).toThrowWithCode('JOB_INVALID')
  })

  it('is refused where the rows of one key are beyond the bound, which each of them keeps', async () => {
    const given = { ids: ['a', 'b', 'a'], tax: ['99999', '1', '2'] }
    await expect(itemsOf(between('bank'), 'bureau', given)).toThrowWithCode('PARAMETER_INVALID')
    const opposite = { ...given, tax: ['99999', '1', '-2'] }
    expect([...(await itemsOf(between('bank'), 'bureau', opposite)).values!]).toEqual([9_999_700n, 100n])
  })
})

describe('a helper', () => {
  const receivers = (learns: string) => [{ name: 'bank', learns }]
  const sum = { owner: 'bureau', column: 'tax', scale: 2, bound: '100000' }

  it('lets the receiver learn which, among three sets', async () => {
    const job = helped({ receivers: receivers('which') }, ['bureau', 'bank', 'insurer', 'operator'])
    const results = await all(job, { bureau, bank, insurer: { ids: ['c3', 'c1', 'x', 'y'] } })
    expect(ok(results, 'bank')).toMatchObject({ count: 2, matched: Uint8Array.of(0, 0, 1, 0, 0, 1) })
    for (const name of ['bureau', 'insurer', 'operator']) expect(ok(results, name).count).toBeUndefined()
  })

  it.each([['bank'], ['bureau']])(
    'lets %s learn the total over the shared keys, each key’s rows together',
    async receiver => {
      const job = helped({ receivers: [{ name: receiver, learns: 'sum' }], sum })
      const results = await all(job, { bureau, bank })
      expect(ok(results, receiver)).toMatchObject({ count: 3, sum: '7.00' })
      const other = receiver === 'bank' ? 'bureau' : 'bank'
      expect(ok(results, other).sum ?? ok(results, other).count).toBeUndefined()
    },
  )

  it.each(['which', 'count', 'sum'])('enforces the minimum itself: %s', async learns => {
    const given = learns === 'sum' ? { sum } : {}
    const at = async (minimumIntersection: number) =>
      all(helped({ receivers: receivers(learns), minimumIntersection, ...given }), { bureau, bank })
    expect(ok(await at(3), 'bank').count).toBe(3)
    const below = await at(4)
    expect(codeOf(below['bank'])).toBe('DISCLOSURE_REFUSED')
  })

  it('agrees with plain reckoning, whatever the sets', async () => {
    const set = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(set, set, async (left, right) => {
        const job = helped({ receivers: receivers('sum'), sum, size: { floor: 1, ceiling: 64, step: 4 } })
        const results = await all(job, {
          bureau: { ids: left.map(String), tax: left.map(value => `${value - 15}.25`) },
          bank: { ids: right.map(String) },
        })
        const shared = left.filter(value => right.includes(value))
        const expected = shared.reduce((total, value) => total + Number(`${value - 15}.25`) * 100, 0)
        const { count, sum: found } = ok(results, 'bank')
        expect({ count, sum: Math.round(Number(found) * 100) }).toEqual({
          count: shared.length,
          sum: expected,
        })
      }),
      { numRuns: 12 },
    )
  })
})

describe('quotas and approvals', () => {
  it('count every run of a job, also one that broke off, and refuse beyond it before anything is computed', async () => {
    const job = parsePsiJob(draft({ quota: { runs: 2, lifetimeItems: 1000 } }))
    ok(await all(job, { bureau, bank }, undefined, 'runs'), 'bank')
    const broken = await all(
      job,
      { bureau, bank },
      name =>
        name === 'bank'
          ? {
              onProgress: () => {
                throw new Error('gone')
              },
            }
          : {},
      'runs',
    )
    expect(broken['bureau']).toBeInstanceOf(Error)
    const third = await all(job, { bureau, bank }, undefined, 'runs')
    expect(codeOf(third['bureau'])).toMatch(/APPROVAL_EXHAUSTED|PEER_STOPPED/)
    expect(codeOf(third['bank'])).toMatch(/APPROVAL_EXHAUSTED|PEER_STOPPED/)
    const entries = await recorded(join(root, 'runs-bureau'))
    expect(entries.map(({ kind }) => kind)).toEqual(['psi-start', 'psi-end', 'psi-start', 'psi-break'])
    expect(entries[3]).toMatchObject({ code: 'PEER_STOPPED', about: 'bank' })
    expect((await stat(join(root, 'runs-bureau'))).mode & 0o777).toBe(0o700)
  })

  it('compute nothing that a party’s ledger cannot record, and the other party is told', async () => {
    const job = parsePsiJob(draft())
    const directory = join(root, 'unwritable-bank')
    const ledger = await PartyLedger.open(directory, people[NAMES.indexOf('bank')]!)
    await rm(directory, { recursive: true })
    await writeFile(directory, '')
    const given = (name: string) => (name === 'bank' ? { ledger } : {})
    const results = await all(job, { bureau, bank }, given, 'unwritten')
    expect(codeOf(results['bank'])).toBe('FILE_MISSING')
    expect(results['bureau']).toMatchObject({
      code: 'PEER_STOPPED',
      facts: { party: 'bank', code: 'FILE_MISSING' },
    })
    const entries = await recorded(join(root, 'unwritten-bureau'))
    expect(entries).toMatchObject([{ kind: 'psi-start' }, { kind: 'psi-break', about: 'bank' }])
  })

  it('count one counterpart’s items over all jobs, by its key', async () => {
    const job = () => parsePsiJob(draft({ quota: { runs: 10, lifetimeItems: 20 } }))
    const nobody = { ids: ['z'] }
    for (let i = 0; i < 2; i++) ok(await all(job(), { bureau, bank: nobody }, undefined, 'life'), 'bank')
    const third = await all(job(), { bureau, bank: nobody }, undefined, 'life')
    expect(codeOf(third['bureau'])).toBe('APPROVAL_EXHAUSTED')
    expect(codeOf(third['bank'])).toBe('PEER_STOPPED')
  })

  it('fail closed where the ledger was changed; what a crash tore off at its end is cut', async () => {
    const job = () => parsePsiJob(draft())
    ok(await all(job(), { bureau, bank }, undefined, 'changed'), 'bank')
    const directory = join(root, 'changed-bureau')
    await appendFile(join(directory, 'ledger', 'journal'), 'torn')
    ok(await all(job(), { bureau, bank }, undefined, 'changed'), 'bank')
    expect(await recorded(directory)).toHaveLength(4)
    const path = join(directory, 'ledger', 'tile', 'entries', '000.p', '5')
    const bundle = await readFile(path)
    bundle[bundle.indexOf('"payload":"') + 20]! ^= 1
    await writeFile(path, bundle)
    const open = async () => (await PartyLedger.open(directory, people[0]!)).counted()
    await expect(open()).toThrowWithCode('LEDGER_CORRUPT')
  })

  it('bind the input: another one is refused here, and an unsigned one there', async () => {
    const job = parsePsiJob(draft())
    const [, signer] = people
    const approval = await approvePsi(job, signer!, await itemsOf(job, 'bank', bank))
    const other = await itemsOf(job, 'bank', { ids: ['c1', 'c2'] })
    const changed = await all(job, { bureau, bank }, name =>
      name === 'bank' ? { items: other, approval, wait: 1 } : { signal: AbortSignal.timeout(500) },
    )
    expect(codeOf(changed['bank'])).toBe('FINGERPRINT_MISMATCH')
    const forged = { ...approval, input: { ...approval.input!, signature: approval.signature } }
    const unsigned = await all(job, { bureau, bank }, name => (name === 'bank' ? { approval: forged } : {}))
    expect(codeOf(unsigned['bureau'])).toBe('JOB_MISMATCH')
    expect((unsigned['bureau'] as Error).message).toContain('"bank"')
    const another = await approvePsi(parsePsiJob(draft()), signer!, await itemsOf(job, 'bank', bank))
    const wrong = await all(job, { bureau, bank }, name =>
      name === 'bank' ? { approval: another } : { signal: AbortSignal.timeout(500) },
    )
    expect(codeOf(wrong['bank'])).toBe('NOT_APPROVED')
  })

  it('show nothing of the input to whoever reads an approval without its salt', async () => {
    const job = parsePsiJob(draft())
    const items = await itemsOf(job, 'bank', bank)
    const [one, two] = [await approvePsi(job, people[1]!, items), await approvePsi(job, people[1]!, items)]
    expect(one.input!.commitment).not.toBe(two.input!.commitment)
  })
})

describe('reading a set', () => {
  it('is the same from several batches', async () => {
    const job = parsePsiJob(draft())
    const whole = await itemsOf(job, 'bureau', bureau)
    const parts = [
      tableFromArrays({ id: bureau.ids.slice(0, 2) }),
      new Table({ id: text(bureau.ids.slice(2)) }),
    ]
    const pieces = await readPsiItems(job, parts, { key: ['id'] })
    expect(pieces).toEqual(whole)
    expect([...whole.itemOf]).toEqual([0, 1, -1, 2, 1, 3])
  })

  it('stops when it is told to, and names a column that is not there', async () => {
    const job = parsePsiJob(draft())
    const read = (key: string, signal?: AbortSignal) =>
      readPsiItems(job, [tableOf(bank)], { key: [key] }, signal)
    await expect(read('id', AbortSignal.abort())).toThrowWithCode('INTERRUPTED')
    await expect(read('code')).toThrowWithCode('NAME_UNKNOWN')
  })
})
