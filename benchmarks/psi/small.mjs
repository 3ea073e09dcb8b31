// Sets of the sizes that @openmined/psi.js can do: one run of it each, both sides in one process without a network, and
// of its native form in Python where that is installed (`pip install openmined-psi`), beside the protocols over TLS.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { median, row } from './cases.mjs'
import { twoProcesses } from './protocols.mjs'

const SIZES = [2 ** 10, 2 ** 12]
const NATIVE_SIZES = [...SIZES, 2 ** 14]
const PROTOCOLS = ['ecdh', 'rr22', 'kkrt16']
const ROUNDS = 3

/** @param {string} folder where keys may be written */
export async function smallCases(folder) {
  const native = nativeVersion()
  const cases = []
  for (const count of native === undefined ? SIZES : NATIVE_SIZES) {
    const peers = [
      ...(SIZES.includes(count) ? [['@openmined/psi.js', await psiJs(count)]] : []),
      ...(native === undefined ? [] : [[`openmined-psi ${native}, native`, nativeRun(count)]]),
    ]
    for (const protocol of PROTOCOLS) {
      const runs = []
      for (let round = 0; round < ROUNDS; round++) runs.push(await twoProcesses(folder, protocol, count))
      const seconds = median(runs.map(parties => Math.max(...parties.map(party => party.seconds))))
      const bytes = runs[0].reduce((total, party) => total + party.bytes, 0)
      const name = `${protocol} ${count} × ${count}`
      for (const [peer, theirs] of peers) {
        cases.push(row(name, 'median time', seconds, 's', peer, theirs.seconds))
        cases.push(row(name, 'sent by both', bytes, 'bytes', peer, theirs.bytes))
      }
    }
  }
  return cases
}

/** Identity numbers as texts, of which the two have half in common. */
function textsOf(party, count) {
  return Array.from({ length: count }, (_, i) => `${110101190000000000n + BigInt(i + (party * count) / 2)}`)
}

async function psiJs(count) {
  const psi = await createRequire(import.meta.url)('@openmined/psi.js')()
  const [own, other] = [0, 1].map(party => textsOf(party, count))
  const start = performance.now()
  const client = psi.client.createWithNewKey(true)
  const server = psi.server.createWithNewKey(true)
  const { Raw } = psi.dataStructure
  const setup = server.createSetupMessage(1e-9, count, other, Raw).serializeBinary()
  const request = client.createRequest(own).serializeBinary()
  const response = server.processRequest(psi.request.deserializeBinary(request)).serializeBinary()
  const found = client.getIntersection(
    psi.serverSetup.deserializeBinary(setup),
    psi.response.deserializeBinary(response),
  )
  const seconds = (performance.now() - start) / 1000
  if (found.length !== count / 2) throw new Error('the intersection of @openmined/psi.js is wrong')
  return { seconds, bytes: setup.length + request.length + response.length }
}

const NATIVE = fileURLToPath(new URL('./native.py', import.meta.url))

/** Its version; undefined, with the reason on stderr, where it is not there. */
function nativeVersion() {
  const { status, stdout, error } = python('version')
  if (status === 0) return stdout.trim()
  const reason = error === undefined ? 'Python has no package openmined-psi' : 'there is no python3'
  process.stderr.write(`no native peer of intersections: ${reason}\n`)
  return undefined
}

function nativeRun(count) {
  const { status, stdout, stderr } = python(`${count}`)
  if (status !== 0) throw new Error(`openmined-psi failed: ${stderr}`)
  return JSON.parse(stdout)
}

function python(argument) {
  return spawnSync(process.env.SLUICE_PYTHON ?? 'python3', [NATIVE, argument], { encoding: 'utf8' })
}
