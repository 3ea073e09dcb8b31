import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalBytes, isSluiceError } from '@sluice/core'
import { openCommitment, type PsiEnd } from '@sluice/ledger'
import { OprfKey, type Signer } from '@sluice/ledger/keys'
import { recordPrepared, recordRotated } from '@sluice/ledger/party'
import {
  memoryMesh,
  PartyLedger,
  PreparedFile,
  type PsiResult,
  prepareSet,
  type RunPreparedOptions,
  runPrepared,
  runPsi,
} from '@sluice/mpc'
import {
  approvePsi,
  checkPreparedSide,
  freshPsiJob,
  loadRistretto,
  newPreparedKey,
  type PsiJob,
  parsePsiJob,
  preparedOf,
  publicHalf,
  readPsiItems,
  rotatedKey,
} from '@sluice/mpc/psi'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { people } from '../session/parties.js'
import { recorded } from './recorded.js'

const [bureau, bank] = people as [(typeof people)[0], (typeof people)[0]]
const group = await loadRistretto()
const key = newPreparedKey(group)
const EXPIRES = '2027-01-01T00:00:00.000Z'
const now = () => new Date('2026-06-01T00:00:00.000Z')
const company = (i: number) => `C${i}`
const tableOf = (ids: readonly (string | null)[]) => new Table({ id: vectorFromArray(ids, new Utf8()) })
let root = ''
let set: PreparedFile
let runs = 0

async function prepared(ids: readonly string[], name: string, under = key): Promise<PreparedFile> {
  const out = join(root, name)
  await prepareSet({
    ...{ key: under, expires: EXPIRES, names: ['id'], input: name, out, step: 100, threads: 1 },
    columns: [{ name: 'code', normalize: ['trim', 'case'] }],
    read: use => use(ids.length, [tableOf(ids)]),
  })
  return PreparedFile.open(out)
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-prepared-job-'))
  set = await prepared(
    Array.from({ length: 250 }, (_, i) => company(i)),
    'companies.prepared',
  )
})
afterAll(async () => {
  await set.close()
  await rm(root, { recursive: true, force: true })
})

const draft = (change: Record<string, unknown> = {}) => ({
  ...freshPsiJob(),
  purpose: 'which borrowers are registered',
  parties: [bureau, bank].map(({ name, publicKey }) => ({
    name,
    key: publicKey,
    host: '127.0.0.1',
    port: 7000,
  })),
  protocol: 'oprf',
  ...preparedOf(set.head, 'bureau'),
  size: { floor: 1, ceiling: 64, step: 8 },
  receivers: [{ name: 'bank', learns: 'which' }],
  payload: [],
  minimumIntersection: 0,
  quota: { runs: 10, lifetimeItems: 1000 },
  seconds: 60,
  ...change,
})

const ledgerOf = (name: string, signer: Signer) => PartyLedger.open(join(root, name), signer)

/** Both sides in this process. */
async function both(
  job: PsiJob,
  ids: readonly (string | null)[],
  more: (name: string) => Partial<RunPreparedOptions> = () => ({}),
  records = `${runs++}`,
): Promise<(PsiResult | Error)[]> {
  const mesh = memoryMesh(2)
  const items = await readPsiItems(job, [tableOf(ids)], { key: ['id'] })
  const outcomes = await Promise.allSettled(
    [bureau, bank].map(async (signer, self) => {
      const own = signer === bank ? items : undefined
      return runPrepared(job, {
        signer,
        approval: await approvePsi(job, signer, own),
        ledger: await ledgerOf(`${records}-${signer.name}`, signer),
        streams: mesh[self]!,
        ...(own === undefined ? { key } : { items: own, set }),
        now,
        ...more(signer.name),
      })
    }),
  )
  return outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error)))
}

const codesOf = (results: readonly (PsiResult | Error)[]) =>
  results.map(result => (isSluiceError(result) ? result.code : result instanceof Error ? 'another' : 'none'))

describe('a job with a prepared set', () => {
  it('tells the other party which of its rows are in it, and both records hold what was asked', async () => {
    const job = parsePsiJob(draft())
    const rows = [' c1', 'C1', null, 'c249', 'c250', 'x', '']
    const [owner, asker] = await both(job, rows, undefined, 'seen')
    expect(asker).toMatchObject({ count: 2, matched: Uint8Array.of(1, 1, 0, 1, 0, 0, 0) })
    expect(owner).not.toHaveProperty('count')
    const entries = await recorded(join(root, 'seen-bureau'))
    expect(entries).toMatchObject([
      { kind: 'psi-start', items: 300, input: set.digest, counterparts: [{ name: 'bank', items: 8 }] },
      { kind: 'psi-end', links: [{ peer: 'bank' }] },
    ])
    expect(entries[1]).not.toHaveProperty('resultCommitment')
    const own = await recorded(join(root, 'seen-bank'))
    expect(own).toMatchObject([
      { items: 8, counterparts: [{ name: 'bureau', items: 0 }] },
      { kind: 'psi-end', resultCommitment: expect.any(String), links: [{ peer: 'bureau' }] },
    ])
    const [{ links: theirs }, { links: ours }] = [entries[1], own[1]] as [PsiEnd, PsiEnd]
    expect([ours[0]!.sent, ours[0]!.received]).toEqual([theirs[0]!.received, theirs[0]!.sent])
    // how long a connection was can tell how many items are shared
    for (const link of [...ours, ...theirs])
      expect(Object.keys(link).sort()).toEqual(['peer', 'received', 'sent'])
    // how many are shared stands outside, under the salt that opens the commitment
    const { session, resultCommitment: commitment } = own[1] as PsiEnd
    const kept = JSON.parse(await readFile(join(root, 'seen-bank', 'results', `${session}.json`), 'utf8'))
    expect(kept.learned).toEqual({ count: 2 })
    const opening = { salt: kept.salt, commitment: commitment! }
    openCommitment('result', opening, canonicalBytes({ count: 2 }))
    await expect(() => openCommitment('result', opening, canonicalBytes({ count: 3 }))).toThrowWithCode(
      'PROOF_INVALID',
    )
  })

  it('agrees with a plain join, whatever is asked', async () => {
    const ids = fc.uniqueArray(fc.integer({ min: 230, max: 270 }), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(ids, async asked => {
        const [, asker] = await both(parsePsiJob(draft()), asked.map(company))
        expect([...(asker as PsiResult).matched!]).toEqual(asked.map(i => (i < 250 ? 1 : 0)))
      }),
      { numRuns: 6 },
    )
  })

  it('looks the same from outside for every number of items of one step', async () => {
    const bytes = async (count: number) => {
      const [owner] = await both(
        parsePsiJob(draft()),
        Array.from({ length: count }, (_, i) => `x${i}`),
      )
      return (owner as PsiResult).traffic.bytesReceived
    }
    expect(await bytes(9)).toBe(await bytes(16))
    expect(await bytes(8)).toBeLessThan(await bytes(9))
  })

  it.each<[string, Record<string, unknown>]>([
    ['no prepared set', { prepared: undefined }],
    ['one beside another protocol', { protocol: 'ecdh' }],
    ['the owner learning', { receivers: [{ name: 'bureau', learns: 'which' }] }],
    ['only how many learned', { receivers: [{ name: 'bank', learns: 'count' }] }],
    [
      'both learning',
      {
        receivers: [
          { name: 'bank', learns: 'which' },
          { name: 'bureau', learns: 'which' },
        ],
      },
    ],
    ['columns handed over', { payload: [{ from: 'bureau', to: 'bank', columns: ['tax'] }] }],
    ['a helper', { helper: 'bureau' }],
  ])('is refused with %s', async (_, change) => {
    await expect(() => parsePsiJob(draft(change))).toThrowWithCode('JOB_INVALID')
  })

  it('is refused with an owner that is no party, and by runPsi', async () => {
    const stranger = { ...draft().prepared, owner: 'nobody' }
    await expect(() => parsePsiJob(draft({ prepared: stranger }))).toThrowWithCode('JOB_INVALID')
    const job = parsePsiJob(draft())
    const approval = await approvePsi(job, bureau, undefined)
    const ledger = await ledgerOf('none', bureau)
    await expect(runPsi(job, { signer: bureau, approval, ledger })).toThrowWithCode('JOB_INVALID')
  })
})

describe('what bounds a prepared set', () => {
  it('is its quota: every evaluation counts, over all jobs, those that pad and those of runs that broke off too', async () => {
    const job = () => parsePsiJob(draft({ quota: { runs: 2, lifetimeItems: 20 } }))
    const first = job()
    expect(codesOf(await both(first, ['c1'], undefined, 'quota'))).toEqual(['none', 'none'])
    const gone = {
      onProgress: () => {
        throw new Error('gone')
      },
    }
    const broken = await both(first, ['c1'], name => (name === 'bank' ? gone : {}), 'quota')
    expect(codesOf(broken)).not.toContain('none')
    expect(codesOf(await both(first, ['c1'], undefined, 'quota'))).toContain('APPROVAL_EXHAUSTED')
    // another job, other items, the same counterpart: 8 + 8 + 8 are more than 20
    expect(codesOf(await both(job(), ['c2'], undefined, 'quota'))).toEqual([
      'APPROVAL_EXHAUSTED',
      'PEER_STOPPED',
    ])
  })

  it('is the date of its key, on both sides', async () => {
    const late = () => new Date(EXPIRES)
    const job = parsePsiJob(draft())
    for (const name of ['bureau', 'bank']) {
      const results = await both(job, ['c1'], own =>
        own === name ? { now: late } : { signal: AbortSignal.timeout(300) },
      )
      expect(codesOf(results)[name === 'bureau' ? 0 : 1]).toBe('APPROVAL_EXPIRED')
    }
  })

  it('is its date and its key also while the other side is waited for: both are looked at again', async () => {
    const job = parsePsiJob(draft())
    let asked = 0
    const passing = () => (asked++ === 0 ? now() : new Date(EXPIRES))
    const late = await both(job, ['c1'], own => (own === 'bureau' ? { now: passing } : {}), 'waited')
    expect(codesOf(late)).toEqual(['APPROVAL_EXPIRED', 'PEER_STOPPED'])
    // it was rotated by another process, and this one has the key before it in memory
    const rotated = { set: key.set, epoch: 2, expires: EXPIRES }
    await recordRotated(await ledgerOf('waited-bureau', bureau), rotated)
    expect(codesOf(await both(job, ['c1'], undefined, 'waited'))).toEqual(['JOB_MISMATCH', 'PEER_STOPPED'])
    await recordRotated(await ledgerOf('other-bureau', bureau), { ...rotated, set: 'f'.repeat(64) })
    expect(codesOf(await both(job, ['c1'], undefined, 'other'))).toEqual(['none', 'none'])
    const [, start] = await recorded(join(root, 'other-bureau'))
    expect(start).toMatchObject({ kind: 'psi-start', prepared: { set: key.set, epoch: 1 } })
  })

  it('is its key as the file has it once the other side is there, whatever the ledger says', async () => {
    const job = parsePsiJob(draft())
    const reading = (epoch: number) => (own: string) =>
      own === 'bureau' ? { currentKey: async () => ({ ...key, epoch }) } : {}
    expect(codesOf(await both(job, ['c1'], reading(2)))).toEqual(['JOB_MISMATCH', 'PEER_STOPPED'])
    expect(codesOf(await both(job, ['c1'], reading(1)))).toEqual(['none', 'none'])
  })

  it('is the date that the owner’s key has, whatever later one a job names', async () => {
    const later = { ...set.head, expires: '2099-01-01T00:00:00.000Z' }
    const job = parsePsiJob(draft(preparedOf(later, 'bureau')))
    const check = (expires: string) => () =>
      checkPreparedSide(job, 'bureau', { key: { ...key, expires } }, group, now())
    expect(check('2026-06-01T00:00:01.000Z')).not.toThrow()
    await expect(check('2026-06-01T00:00:00.000Z')).toThrowWithCode('APPROVAL_EXPIRED')
  })

  it('is its key: rotated, it answers for the old file no more, and the record says how many files are void', async () => {
    const path = join(root, 'set.oprf')
    const content = { ...key, key: publicHalf(key, group), expires: EXPIRES, retired: [] }
    const before = await OprfKey.write(path, content)
    const drawn = rotatedKey(before, group)
    const next = { key: publicHalf(drawn, group), scalar: drawn.scalar, expires: EXPIRES }
    const after = await before.replace(path, next, now())
    expect(after).toMatchObject({ set: key.set, epoch: 2, retired: [{ epoch: 1, key: content.key }] })
    expect(await OprfKey.open(path)).toEqual(after)
    expect((await readFile(path, 'utf8')).includes(Buffer.from(key.scalar).toString('base64'))).toBe(false)
    expect(JSON.stringify(after)).not.toContain(Buffer.from(after.scalar).toString('base64'))
    const job = parsePsiJob(draft())
    const results = await both(job, ['c1'], name =>
      name === 'bureau' ? { key: after } : { signal: AbortSignal.timeout(300) },
    )
    expect(codesOf(results)[0]).toBe('JOB_MISMATCH')
    const again = await prepared(['C1'], 'again.prepared', after)
    const anew = parsePsiJob(draft(preparedOf(again.head, 'bureau')))
    const [, asker] = await both(anew, ['c1', 'c2'], name =>
      name === 'bureau' ? { key: after } : { set: again },
    )
    expect(asker).toMatchObject({ matched: Uint8Array.of(1, 0) })
    const ledger = await ledgerOf('rotations', bureau)
    const file = { set: key.set, file: set.digest, epoch: 1, expires: EXPIRES, items: 300 }
    for (const digest of [set.digest, set.digest, again.digest])
      await recordPrepared(ledger, { ...file, file: digest })
    await recordPrepared(ledger, { ...file, set: 'f'.repeat(64) })
    const rotated = { set: key.set, epoch: 2, expires: EXPIRES }
    expect(await recordRotated(ledger, rotated)).toBe(2)
    // a preparation that was under way has its key from before
    await expect(recordPrepared(ledger, file)).toThrowWithCode('JOB_MISMATCH', 'psi.rotation')
    expect(await recordRotated(ledger, { ...rotated, epoch: 3 })).toBe(0)
    expect(await recorded(join(root, 'rotations'))).toHaveLength(6)
    await again.close()
  })

  it('is the file that the job names: another one, and one that was changed, are refused', async () => {
    const other = await prepared(['C1'], 'other.prepared')
    const job = parsePsiJob(draft())
    const wrong = await both(job, ['c1'], name =>
      name === 'bank' ? { set: other } : { signal: AbortSignal.timeout(300) },
    )
    expect(codesOf(wrong)[1]).toBe('JOB_MISMATCH')
    await other.close()
    const bytes = await readFile(join(root, 'companies.prepared'))
    bytes[bytes.length - 5]! ^= 1
    await writeFile(join(root, 'changed.prepared'), bytes)
    const changed = await PreparedFile.open(join(root, 'changed.prepared'))
    const results = await both(job, ['c1', 'c2'], name => (name === 'bank' ? { set: changed } : {}))
    expect(codesOf(results)).toEqual(['PEER_STOPPED', 'FILE_FORMAT'])
    await changed.close()
  })

  it('is the promise of a minimum, which the asking side keeps, and nothing that is missing', async () => {
    const job = parsePsiJob(draft({ minimumIntersection: 3 }))
    expect(codesOf(await both(job, ['c1', 'c2']))).toEqual(['none', 'DISCLOSURE_REFUSED'])
    const swapped = await both(
      job,
      ['c1'],
      name => (name === 'bureau' ? { key: undefined, set } : { key, set: undefined }) as never,
    )
    expect(codesOf(swapped)).toEqual(['USAGE', 'USAGE'])
  })

  it('is a key file that nobody changed or may read', async () => {
    const path = join(root, 'damaged.oprf')
    await OprfKey.write(path, { ...key, key: publicHalf(key, group), expires: EXPIRES, retired: [] })
    const whole = await readFile(path, 'utf8')
    for (const bad of [whole.replace('"epoch":1', '"epoch":2'), whole.slice(0, -2), 'x']) {
      await writeFile(path, bad)
      await expect(OprfKey.open(path)).toThrowWithCode('KEY_INVALID')
    }
  })
})
