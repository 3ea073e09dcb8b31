// Homomorphic aggregation: totals over a million slots, and a thousand contributors, beside Paillier (paillier-bigint,
// 3072 bits, one value a ciphertext and packed) and beside TenSEAL where Python has it (`python3`, or SLUICE_PYTHON).
// Paillier's whole is its measured unit times the number of ciphertexts: nobody waits two days for it.
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalBytes } from '@sluice/core'
import {
  add,
  aggregationBytes,
  aggregationDigest,
  contribute,
  createAggregation,
  HE_ENGINE,
  HeExecutor,
  MemorySink,
  memorySource,
} from '@sluice/core/he'
import { approvePlan, PLAN_LANGUAGE, reviewPlan } from '@sluice/core/plan'
import { parsePolicy, policyDigest } from '@sluice/core/policy'
import * as paillier from 'paillier-bigint'

const ROUNDS = 5
const SLOTS = 2 ** 20
const CONTRIBUTORS = 1000
/** more than threads take to load SEAL */
const READY_MILLISECONDS = 1500
const NOW = new Date('2026-01-01T00:00:00Z')

/**
 * @typedef {{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }} Case
 * @returns {Promise<Case[]>}
 */
export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    const unit = await paillierUnit()
    const narrow = await measure(folder, 30)
    const wide = await measure(folder, 50)
    return [
      ...rowsOf('50-bit totals', wide, unit, 50, tenseal(50)),
      ...rowsOf('30-bit totals', narrow, unit, 30, tenseal(30)),
      ...(await manyContributors(unit)),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Seconds of each part, medians, and bytes of a contribution, through files as the command line has them. */
async function measure(folder, bits) {
  const parties = people(CONTRIBUTORS)
  const round = await begin(parties, { kind: 'range', first: 0, count: SLOTS }, bits)
  const { aggregation, publicKey } = round
  const most = BigInt(aggregation.rowsPerGroup)
  const values = BigInt64Array.from({ length: SLOTS }, (_, slot) => (BigInt(slot) * 2654435761n) % most)
  const files = []
  const seconds = { contribute: [], add: [], open: [], cold: [] }
  for (let i = 0; i < ROUNDS; i++) {
    const path = join(folder, `${bits}-${i}`)
    const signer = parties.contributors[i]
    const write = sink => contribute(aggregation, { publicKey, signer, cells: [[values]] }, sink)
    seconds.contribute.push(await timed(() => writing(path, write)))
    files.push(path)
  }
  const { size: bytes } = await stat(files[0])
  const sum = join(folder, `${bits}-sum`)
  for (let i = 0; i < ROUNDS; i++) {
    const contributions = await Promise.all(files.map(source))
    const input = { contributions, signer: parties.adder, verify: verifySignature }
    seconds.add.push((await timed(() => writing(sum, sink => add(aggregation, input, sink)))) / files.length)
    await Promise.all(contributions.map(file => file.close()))
  }
  for (let i = 0; i < ROUNDS; i++) {
    const opened = await source(sum)
    seconds.cold.push(await timed(() => openSum(round, opened)))
    // as `sluice he open` does it: the threads load SEAL while the zone reads approvals
    const executor = new HeExecutor()
    executor.prepare(aggregation)
    await new Promise(done => setTimeout(done, READY_MILLISECONDS))
    seconds.open.push(await timed(() => openSum(round, opened, executor)))
    await opened.close()
  }
  return {
    bytes,
    contribute: median(seconds.contribute),
    add: median(seconds.add),
    open: median(seconds.open),
    cold: median(seconds.cold),
  }
}

/** A thousand contributions of 4,096 groups; sixteen different ciphertexts, each contributor's own signature. */
async function manyContributors(unit) {
  const parties = people(CONTRIBUTORS)
  const groups = 4096
  const round = await begin(parties, { kind: 'range', first: 0, count: groups }, 50)
  const { aggregation, publicKey } = round
  const values = BigInt64Array.from({ length: groups }, (_, slot) => BigInt(slot))
  const made = []
  const encrypting = []
  for (const signer of parties.contributors.slice(0, 16)) {
    const sink = new MemorySink()
    encrypting.push(
      await timed(() => contribute(aggregation, { publicKey, signer, cells: [[values]] }, sink)),
    )
    made.push(sink.bytes())
  }
  const contributions = []
  for (const [index, signer] of parties.contributors.entries()) {
    contributions.push(memorySource(signer.name, await inTheNameOf(signer, made[index % made.length])))
  }
  const input = { contributions, signer: parties.adder, verify: verifySignature }
  const adding = []
  const opening = []
  for (let i = 0; i < ROUNDS; i++) {
    const sink = new MemorySink()
    adding.push(await timed(() => add(aggregation, input, sink)))
    opening.push(await timed(() => openSum(round, memorySource('sum', sink.bytes()))))
  }
  const packed = Math.ceil(groups / slotsIn(50))
  const name = `${CONTRIBUTORS} contributors × ${groups} groups, 50-bit totals`
  const peer = `paillier-bigint 3072, packed ${slotsIn(50)} a ciphertext (unit × number)`
  return [
    row(`${name}: a contributor`, 'median time', median(encrypting), 's', peer, packed * unit.encrypt),
    row(`${name}: adder, all`, 'median time', median(adding), 's', peer, CONTRIBUTORS * packed * unit.add),
    row(`${name}: opening`, 'median time', median(opening), 's', peer, packed * unit.decrypt),
    row(`${name}: a contribution`, 'bytes', made[0].length, 'B', peer, packed * unit.bytes),
  ]
}

function rowsOf(name, ours, unit, bits, tenseal) {
  const cores = availableParallelism()
  const packed = Math.ceil(SLOTS / slotsIn(bits))
  const parts = [
    [`contributor, ${cores} cores`, 'encrypt', ours.contribute],
    ['adder, a contributor', 'add', ours.add],
    ['opening, threads ready', 'decrypt', ours.open],
    ['opening, from nothing', 'decrypt', ours.cold],
  ]
  const times = parts.flatMap(([part, key, value]) => {
    const against = (peer, peerValue) =>
      row(`2^20 values, ${name}: ${part}`, 'median time', value, 's', peer, peerValue)
    return [
      against('paillier-bigint 3072, one value each, one core (unit × number)', SLOTS * unit[key]),
      against(`paillier-bigint 3072, packed ${slotsIn(bits)}, one core (unit × number)`, packed * unit[key]),
      ...(tenseal ? [against(`TenSEAL ${tenseal.version} BFV, no signatures, one core`, tenseal[key])] : []),
    ]
  })
  const sized = (peer, peerValue) =>
    row(`2^20 values, ${name}: a contribution`, 'bytes', ours.bytes, 'B', peer, peerValue)
  return [
    ...times,
    sized('paillier-bigint 3072, one value each', SLOTS * unit.bytes),
    sized(`paillier-bigint 3072, packed ${slotsIn(bits)}`, packed * unit.bytes),
    ...(tenseal ? [sized(`TenSEAL ${tenseal.version} BFV, compressed`, tenseal.bytes)] : []),
  ]
}

async function paillierUnit() {
  const { publicKey, privateKey } = await paillier.generateRandomKeys(3072)
  const count = 3
  const ciphertexts = []
  const encrypt = await timed(() => {
    for (let i = 0; i < count; i++) ciphertexts.push(publicKey.encrypt(BigInt(i + 12345)))
  })
  const add = await timed(() => {
    for (let i = 0; i < 100; i++) publicKey.addition(ciphertexts[0], ciphertexts[1])
  })
  const decrypt = await timed(() => {
    for (const ciphertext of ciphertexts) privateKey.decrypt(ciphertext)
  })
  return { encrypt: encrypt / count, add: add / 100, decrypt: decrypt / count, bytes: 768 }
}

/** Totals side by side in one plaintext of 3072 bits. */
function slotsIn(bits) {
  return Math.floor(3071 / bits)
}

/** BFV vectors of one slot a value; parameters with 128 bits that hold one sum of the width. */
function tenseal(bits) {
  const python = process.env.SLUICE_PYTHON ?? 'python3'
  const result = spawnSync(python, ['-c', TENSEAL, String(bits), String(SLOTS)], { encoding: 'utf8' })
  if (result.status === 0) return JSON.parse(result.stdout)
  const reason = result.error ? 'there is no Python' : 'its Python has no tenseal that runs this'
  process.stderr.write(
    `he: without TenSEAL, ${bits}-bit totals: ${reason} (pip install tenseal, SLUICE_PYTHON)\n`,
  )
  return null
}

const TENSEAL = `
import sys, json, time, importlib.metadata
import tenseal as ts
bits, slots = int(sys.argv[1]), int(sys.argv[2])
degree = 8192
def prime(n):
    for a in (2,3,5,7,11,13,17,19,23,29,31,37):
        if n % a == 0: return n == a
        d, r = n-1, 0
        while d % 2 == 0: d //= 2; r += 1
        x = pow(a, d, n)
        if x in (1, n-1): continue
        for _ in range(r-1):
            x = x*x % n
            if x == n-1: break
        else: return False
    return True
t = (1 << (bits+2)) + 1
while not (t % (2*degree) == 1 and prime(t)): t += 2*degree if t % (2*degree) == 1 else 1
context = ts.context(ts.SCHEME_TYPE.BFV, poly_modulus_degree=degree, plain_modulus=t)
rows = [[(i*2654435761) % (1 << (bits-3)) for i in range(at, at+degree)] for at in range(0, slots, degree)]
def median(f):
    times = []
    for _ in range(3):
        start = time.perf_counter(); result = f(); times.append(time.perf_counter()-start)
    return sorted(times)[1], result
encrypt, files = median(lambda: [ts.bfv_vector(context, row).serialize() for row in rows])
total = [ts.bfv_vector_from(context, file) for file in files]
def adding():
    return [a + ts.bfv_vector_from(context, file) for a, file in zip(total, files)]
add, sums = median(adding)
decrypt, opened = median(lambda: [s.decrypt() for s in sums])
assert opened[0][5] == 2*rows[0][5]
print(json.dumps({'version': importlib.metadata.version('tenseal'), 'encrypt': encrypt, 'add': add, 'decrypt': decrypt, 'bytes': sum(len(f) for f in files)}))
`

/** count(*) by an integer key over public reference data: one component, whose range is the rows of a group. */
async function begin(parties, groups, bits) {
  const policy = parsePolicy(POLICY)
  const integer = { kind: 'integer', bits: 64, signed: true }
  const plan = {
    kind: 'plan',
    language: PLAN_LANGUAGE,
    root: {
      kind: 'aggregate',
      input: { kind: 'scan', dataset: 'records', columns: [{ id: 0, name: 'slot', type: integer }] },
      keys: [{ id: 1, name: 'slot', type: integer, expression: { kind: 'column', id: 0, type: integer } }],
      aggregates: [
        { id: 2, name: 'n', type: integer, function: 'count', argument: null, distinct: false, filter: null },
      ],
    },
    output: [
      { name: 'slot', id: 1 },
      { name: 'n', id: 2 },
    ],
    parameters: [],
  }
  const facts = {
    name: 'records',
    version: 1,
    fingerprint: '00'.repeat(32),
    owner: policy.owner,
    columns: [{ name: 'slot', type: integer }],
    uniqueKeys: [],
    policy,
    policyDigest: policyDigest(policy),
  }
  const reviewed = reviewPlan(plan, [facts], { purpose: 'statistics', consumer: 'city', now: NOW })
  const made = await createAggregation({
    reviewed,
    groups,
    columns: {},
    rowsPerGroup: Math.floor(2 ** bits / CONTRIBUTORS),
    contributors: parties.contributors.map(party),
    minimumContributors: 3,
    keyHolder: party(parties.keyHolder),
    adder: party(parties.adder),
    auditor: null,
  })
  return { ...made, reviewed }
}

const POLICY = `version: 1
owner: bureau
grade: 1
entity: none
purposes: [statistics]
consumers: [city]
columns: {slot: {role: attribute, uses: [group]}}
`

async function openSum({ aggregation, reviewed, secretKey }, sum, executor = new HeExecutor()) {
  const digest = aggregationDigest(aggregation)
  const approved = approvePlan({
    request: {
      digest,
      consumer: 'city',
      planDigest: reviewed.planDigest,
      engine: HE_ENGINE,
      datasets: reviewed.datasets,
      maxRuns: null,
    },
    reviewed,
    approvals: reviewed.approvals
      .flatMap(({ principals }) => principals ?? [])
      .map(name => ({
        approver: name,
        role: 'provider',
        requestDigest: digest,
        expires: '2026-02-01T00:00:00Z',
        maxRuns: 1,
        runsUsed: 0,
        datasetVersions: 'exact',
        parameters: {},
        revoked: false,
        nonce: '0'.repeat(32),
      })),
    parameters: {},
    engine: HE_ENGINE,
    runsSoFar: 0,
    now: NOW,
  })
  const request = aggregationBytes(aggregation)
  const inputs = {
    aggregation,
    request,
    sum,
    audit: null,
    secretKey,
    verify: verifySignature,
    claim: async () => undefined,
  }
  return executor.execute(approved, inputs)
}

const keys = new Map()

function people(count) {
  const person = name => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const text = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
    keys.set(text, publicKey)
    return { name, publicKey: text, sign: async bytes => sign(null, bytes, privateKey) }
  }
  const contributors = Array.from({ length: count }, (_, index) => person(`contributor ${index + 1}`))
  return { contributors, keyHolder: person('key holder'), adder: person('adder') }
}

const party = ({ name, publicKey }) => ({ name, key: publicKey })
const verifySignature = (key, bytes, signature) => verify(null, bytes, keys.get(key), signature)

/** The same ciphertexts, stated and signed by somebody else. */
async function inTheNameOf(signer, file) {
  const bytes = Buffer.from(file)
  const length = bytes.readUInt32LE(8)
  const statement = canonicalBytes({
    ...JSON.parse(bytes.subarray(12, 12 + length)),
    contributor: signer.name,
  })
  const context = Buffer.from('sluice homomorphic aggregation v1\n')
  const head = Buffer.from(bytes.subarray(0, 12))
  head.writeUInt32LE(statement.length, 8)
  const signature = await signer.sign(Buffer.concat([context, statement]))
  return Buffer.concat([head, statement, signature, bytes.subarray(12 + length + 64)])
}

async function source(path) {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  const read = async (offset, length) => (await file.read(new Uint8Array(length), 0, length, offset)).buffer
  return { name: path, size, read, close: () => file.close() }
}

async function writing(path, work) {
  const file = await open(path, 'w')
  await work({ write: async (offset, bytes) => void (await file.write(bytes, 0, bytes.length, offset)) })
  await file.sync()
  await file.close()
}

async function timed(action) {
  const start = performance.now()
  await action()
  return (performance.now() - start) / 1000
}

function row(name, metric, value, unit, peer, peerValue) {
  return {
    bench: 'he',
    case: name,
    metric,
    value: rounded(value),
    unit,
    peer,
    peerValue: rounded(peerValue),
    ratio: Number((value / peerValue).toPrecision(3)),
  }
}

function rounded(value) {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
