// The ledger, on this disk: appends beside a bare append and sync, signing beside bare Ed25519, the verifier beside
// bare hashing and bare Ed25519. `--entries=1000000` verifies a larger one.
import { createHash, generateKeyPairSync, hash, randomBytes, sign as signBytes, verify } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ledger, sign, trustOf } from '@sluice/ledger'
import { KeyFile } from '@sluice/ledger/keys'
import { verifyLedger } from '@sluice/ledger/verify'

const ROUNDS = 5
const ENTRY_BYTES = 900

/**
 * @typedef {{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }} Case
 * @param {{ entries?: number, directory?: string }} [options] entries of the ledger that is verified; where it lies
 * @returns {Promise<Case[]>}
 */
export async function bench({ entries = 100_000, directory = tmpdir() } = {}) {
  const folder = mkdtempSync(join(directory, 'sluice-bench-'))
  try {
    const zone = await begin(folder)
    return [
      await appendEach(zone, folder),
      await groupCommit(zone),
      ...(await verifying(zone, folder, entries)),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every append is waited for before the next one is made; signed beforehand. */
async function appendEach({ ledger, operator }, folder) {
  const count = 1000
  const ours = []
  const theirs = []
  for (let round = 0; round < ROUNDS; round++) {
    const envelopes = await Promise.all(Array.from({ length: count }, (_, i) => signedRefusal(operator, i)))
    ours.push(
      await rate(count, () =>
        ledger.exclusive(async writer => {
          for (const envelope of envelopes) await writer.append(envelope)
        }),
      ),
    )
    theirs.push(await rate(count, () => bareAppends(join(folder, 'bare'), count)))
  }
  return row('append, each durable', 'entries', ours, 'append and fdatasync', theirs)
}

/** Signs and appends, all at once: what waits shares a sync; publication of tiles and checkpoint is in the figure. */
async function groupCommit({ ledger, operator }) {
  const count = 20_000
  const { privateKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(ENTRY_BYTES)
  const ours = []
  const theirs = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await rate(count, () => recordAll(ledger, operator, count)))
    theirs.push(
      await rate(count, () => {
        for (let i = 0; i < count; i++) signBytes(null, message, privateKey)
      }),
    )
  }
  return row('sign and append, group commit', 'entries', ours, 'Ed25519 sign', theirs)
}

async function verifying({ ledger, operator, trust }, folder, entries) {
  const path = join(folder, 'ledger')
  for (let size = await ledger.size(); size < entries; size = await ledger.size()) {
    await recordAll(ledger, operator, Math.min(50_000, entries - size))
  }
  const size = await ledger.size()
  const cores = availableParallelism()
  const tree = []
  const full = []
  const hashing = []
  const signatures = []
  const rounds = size > 200_000 ? 1 : ROUNDS
  for (let round = 0; round < rounds; round++) {
    tree.push(await rate(size, () => verifyLedger(path, { trust, depth: 'tree' })))
    hashing.push(await rate(200_000, () => bareHashes(200_000)))
    full.push(await rate(size, () => verifyLedger(path, { trust })))
    signatures.push(await rate(5000, () => bareVerifies(5000)))
  }
  return [
    row(`verify ${size}: tree and checkpoints`, 'entries', tree, 'SHA-256 of a leaf, one core', hashing),
    row(
      `verify ${size}: every signature, ${cores} cores`,
      'entries',
      full,
      'Ed25519 verify, one core',
      signatures,
    ),
    seconds(`verify ${size}: tree and checkpoints`, size, tree, hashing),
    seconds(`verify ${size}: every signature, ${cores} cores`, size, full, signatures),
  ]
}

async function begin(folder) {
  const operator = await KeyFile.generate(join(folder, 'operator.key'), { name: 'operator' })
  const provider = await KeyFile.generate(join(folder, 'provider.key'), { name: 'provider' })
  const auditor = await KeyFile.generate(join(folder, 'auditor.key'), { name: 'auditor' })
  const origin = 'sluice.bench/zone'
  const log = await KeyFile.generate(join(folder, 'log.key'), { name: origin })
  const founding = {
    kind: 'founding',
    time: new Date().toISOString(),
    zone: randomBytes(16).toString('hex'),
    origin,
    suite: 'international',
    logKey: log.publicKey,
    principals: [
      { name: 'operator', role: 'operator', key: operator.publicKey },
      { name: 'provider', role: 'provider', key: provider.publicKey },
      { name: 'auditor', role: 'auditor', key: auditor.publicKey },
    ],
    charter: { keyChange: ['operator', 'provider'] },
  }
  const ledger = await Ledger.create(join(folder, 'ledger'), {
    logSigner: log,
    founding: await sign(founding, operator, provider, auditor),
  })
  return { ledger, operator, trust: trustOf(founding) }
}

const REFUSAL = {
  kind: 'refusal',
  stage: 'gate',
  code: 'SQL_REFUSED',
  rule: 'sql.function',
  requestDigest: createHash('sha256').update('request').digest('hex'),
  run: null,
  principal: 'operator',
}

function signedRefusal(operator, i) {
  return sign({ ...REFUSAL, time: new Date().toISOString(), rule: `sql.function ${i}` }, operator)
}

async function recordAll(ledger, operator, count) {
  await ledger.exclusive(writer =>
    Promise.all(Array.from({ length: count }, () => writer.record(REFUSAL, operator))),
  )
}

function bareAppends(path, count) {
  const bytes = randomBytes(ENTRY_BYTES)
  const file = openSync(path, 'w')
  for (let i = 0; i < count; i++) {
    writeSync(file, bytes)
    fdatasyncSync(file)
  }
  closeSync(file)
}

function bareHashes(count) {
  const leaf = randomBytes(ENTRY_BYTES)
  for (let i = 0; i < count; i++) hash('sha256', leaf, 'buffer')
}

function bareVerifies(count) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(ENTRY_BYTES)
  const signature = signBytes(null, message, privateKey)
  for (let i = 0; i < count; i++) verify(null, message, publicKey, signature)
}

async function rate(count, action) {
  const start = performance.now()
  await action()
  return count / ((performance.now() - start) / 1000)
}

function row(name, what, ours, peer, theirs) {
  const [value, peerValue] = [median(ours), median(theirs)]
  return {
    bench: 'ledger',
    case: name,
    metric: 'median rate',
    value: Math.round(value),
    unit: `${what}/s`,
    peer,
    peerValue: Math.round(peerValue),
    ratio: Number((value / peerValue).toFixed(3)),
  }
}

/** The same as a time, beside what the peer alone would take for as many. */
function seconds(name, size, ours, theirs) {
  const [value, peerValue] = [size / median(ours), size / median(theirs)]
  return {
    bench: 'ledger',
    case: name,
    metric: 'median time',
    value: Number(value.toFixed(2)),
    unit: 's',
    peer: 'the same, for as many',
    peerValue: Number(peerValue.toFixed(2)),
    ratio: Number((value / peerValue).toFixed(3)),
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
