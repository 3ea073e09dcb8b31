import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ParameterSet, parameterSet, shapeOf } from '@sluice/core/he'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  begin,
  contribution,
  DISTRICTS,
  inputs,
  opened,
  type Round,
  resigned,
  rowsOf,
  sumOf,
} from './fixture.ts'

/**
 * A Python whose TenSEAL brings a native SEAL of the same format version: `pip install tenseal==0.3.15 numpy` has 4.1, and
 * BGV, though its names for schemes lack it.
 */
const PYTHON = process.env['SLUICE_SEAL_PYTHON']
const reason = 'without a native SEAL: SLUICE_SEAL_PYTHON names no Python with tenseal'
if (PYTHON === undefined) process.stderr.write(`native.test.ts: ${reason}\n`)

const SCRIPT = `
import sys, json, struct
import tenseal.sealapi as s
task = json.load(open(sys.argv[1]))
p = s.EncryptionParameters(s.SCHEME_TYPE(3))
p.set_poly_modulus_degree(task['degree'])
p.set_coeff_modulus(s.CoeffModulus.Create(task['degree'], task['sizes']))
p.set_plain_modulus(task['plain'])
c = s.SEALContext(p, False, s.SEC_LEVEL_TYPE.TC128)
assert c.parameters_set()
encoder = s.BatchEncoder(c)
public = s.PublicKey(); public.load(c, task['public'])
secret = s.SecretKey(); secret.load(c, task['secret'])
ours = s.Ciphertext(c); ours.load(c, task['cipher'])
plain = s.Plaintext(); s.Decryptor(c, secret).decrypt(ours, plain)
theirs = s.Ciphertext(c)
given = s.Plaintext(); encoder.encode([3, 4, 5] + [0] * (task['degree'] - 3), given)
s.Encryptor(c, public).encrypt(given, theirs)
count = theirs.size() * theirs.coeff_modulus_size() * theirs.poly_modulus_degree()
words = [theirs.dyn_array()[i] for i in range(count)]
open(task['out'], 'wb').write(struct.pack('<%dQ' % count, *words))
print(json.dumps(encoder.decode_int64(plain)[:3]))
`

describe.skipIf(PYTHON === undefined)('a native SEAL', () => {
  it.each([
    ['bgv-2048-33', '1000'],
    ['bgv-4096-60', '1000000'],
  ])('%s: reads our keys and ciphertexts, and we read what it encrypted', async (name, maximum) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-seal-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const round = await begin(undefined, { columns: { amount: { minimum: '0', maximum } }, auditor: null })
    expect(round.aggregation.parameters).toBe(name)
    const cells = [[[7, 8, 9].map(Number), [1, 1, 1], [5, 5, 5]].map(values => Float64Array.from(values))]
    const contributions: Uint8Array[] = []
    for (const district of DISTRICTS.slice(0, 3))
      contributions.push(await contribution(round, district, cells))

    const { values, ciphertext } = native(folder, round, contributions[0]!)
    expect(values).toEqual([7, 8, 9])

    const foreign = await withFirst(round, contributions[0]!, ciphertext)
    const sum = await sumOf(round, [foreign, ...contributions.slice(1)])
    const rows = rowsOf(await opened(round, inputs(round, sum, null)))
    expect(rows.map(row => String(row['total']))).toEqual(['17', '20', '23'])
  })
})

/** What the native SEAL decrypts of our first ciphertext, and the coefficients of one that it made under our key. */
function native(
  folder: string,
  round: Round,
  file: Uint8Array,
): { values: number[]; ciphertext: Uint8Array } {
  const set = parameterSet(round.aggregation.parameters)
  const { body, one } = places(round, file)
  const at = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }
  const task = {
    degree: set.degree,
    sizes: primesOf(set).map(prime => prime.toString(2).length),
    plain: Number(set.plainPrimes[0]),
    public: at('public', round.publicKey),
    secret: at('secret', round.secretKey),
    cipher: at('cipher', file.subarray(body, body + one)),
    out: join(folder, 'out'),
  }
  // a plain modulus of 60 bits is no safe integer in JSON
  const json = JSON.stringify(task).replace(String(task.plain), String(set.plainPrimes[0]))
  const result = spawnSync(PYTHON!, ['-c', SCRIPT, at('task.json', json)], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  return { values: JSON.parse(result.stdout) as number[], ciphertext: readFileSync(task.out) }
}

function primesOf({ coefficientPrimes, specialPrime }: ParameterSet): bigint[] {
  return [...coefficientPrimes, ...(specialPrime === null ? [] : [specialPrime])]
}

function places(round: Round, file: Uint8Array) {
  const { ciphertexts, ciphertextBytes: one } = shapeOf(round.aggregation)
  const digests = 12 + Buffer.from(file).readUInt32LE(8) + 64
  return { digests, body: digests + 32 * ciphertexts, one }
}

/** The contribution with these coefficients in its first ciphertext, signed again. */
function withFirst(round: Round, file: Uint8Array, coefficients: Uint8Array): Promise<Uint8Array> {
  const bytes = Buffer.from(file)
  const { digests, body, one } = places(round, file)
  bytes.set(coefficients, body + 113)
  const sha256 = (part: Uint8Array) => createHash('sha256').update(part).digest()
  sha256(bytes.subarray(body, body + one)).copy(bytes, digests)
  return resigned(bytes, DISTRICTS[0]!, {
    ciphertexts: sha256(bytes.subarray(digests, body)).toString('hex'),
  })
}
