// Opt-in: has Go's golang.org/x/mod/sumdb check a ledger that this package wrote, and refuse one that was changed.
// node packages/ledger/foreign/check.mjs    (needs Go, and its module proxy the first time)
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ledger, sign, witness } from '@sluice/ledger'
import { cosignatureKey, KeyFile, parseVerifierKey } from '@sluice/ledger/keys'

const GO = join(dirname(fileURLToPath(import.meta.url)), 'go')

const version = spawnSync('go', ['version'], { encoding: 'utf8' })
if (version.error) {
  process.stdout.write(
    'not checked: Go is not installed, and this check is about what Go makes of a ledger\n',
  )
  process.exit(0)
}
process.stdout.write(version.stdout)

const folder = mkdtempSync(join(tmpdir(), 'sluice-foreign-'))
try {
  const { directory, arguments: given } = await write(folder)
  const good = check(given)
  process.stdout.write(good.stdout + good.stderr)
  if (good.status !== 0) throw new Error('Go refuses a ledger that is as it should be')
  const changes = {
    // in the root; the last line is the log's own cosignature, which note takes for a stranger's
    checkpoint: 30,
    'witnessed/701': -30,
    'tile/0/002.p/189': -30,
    'tile/1/000.p/2': -30,
    'tile/entries/001': -30,
  }
  for (const [file, at] of Object.entries(changes)) {
    const path = join(directory, file)
    const bytes = readFileSync(path)
    writeFileSync(
      path,
      Uint8Array.from(bytes, (byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte)),
    )
    const bad = check(given)
    if (bad.status !== 1) throw new Error(`Go does not notice that ${file} was changed`)
    process.stdout.write(`refused when ${file} is changed: ${bad.stderr}`)
    writeFileSync(path, bytes)
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** Three full and partial tiles on two levels, an old checkpoint for each of several sizes, a cosignature on the newest. */
async function write(folder) {
  const origin = 'sluice.example/zone'
  const [log, operator, provider, auditor] = await Promise.all(
    [origin, 'operator', 'provider', 'auditor'].map((name, i) =>
      KeyFile.generate(join(folder, `${i}.key`), { name }),
    ),
  )
  const founding = {
    kind: 'founding',
    time: new Date().toISOString(),
    zone: '0123456789abcdef0123456789abcdef',
    origin,
    suite: 'international',
    logKey: log.publicKey,
    principals: [operator, provider, auditor].map(({ name, publicKey }) => ({
      name,
      role: name,
      key: publicKey,
    })),
    charter: { keyChange: ['operator', 'provider'] },
  }
  const directory = join(folder, 'ledger')
  const ledger = await Ledger.create(directory, {
    logSigner: log,
    founding: await sign(founding, operator, provider, auditor),
  })
  const refusal = {
    kind: 'refusal',
    stage: 'gate',
    code: 'SQL_REFUSED',
    rule: null,
    requestDigest: null,
    run: null,
    principal: 'operator',
  }
  const older = [await ledger.checkpoint()]
  for (const count of [254, 1, 1, 44, 400]) {
    await ledger.exclusive(writer =>
      Promise.all(Array.from({ length: count }, () => writer.record(refusal, operator))),
    )
    older.push(await ledger.checkpoint())
  }
  await witness(ledger, auditor, { since: older[0].note, time: Math.floor(Date.now() / 1000) })
  const receipts = await Promise.all([0, 1, 255, 256, 511, 512, 699, 700].map(index => ledger.receipt(index)))
  const consistency = await Promise.all(
    older.map(async ({ size, root }) => ({
      size,
      root: Buffer.from(root).toString('base64'),
      proof: (await ledger.consistency(size)).map(hash => Buffer.from(hash).toString('base64')),
    })),
  )
  const proofs = join(folder, 'proofs.json')
  writeFileSync(proofs, JSON.stringify({ receipts, consistency }))
  const cosigner = cosignatureKey(parseVerifierKey(auditor.publicKey)).text
  return { directory, arguments: [directory, log.publicKey, cosigner, proofs] }
}

function check(given) {
  return spawnSync('go', ['run', '.', ...given], { cwd: GO, encoding: 'utf8' })
}
