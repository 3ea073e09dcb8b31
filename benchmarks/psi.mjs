// Private set intersection between two processes on this machine, over mutual TLS 1.3: input file to output file by the
// command line, totals, a small set against a prepared one, the protocols alone, and small sets beside @openmined/psi.js
// and, where it is installed, its native form.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileCases } from './psi/files.mjs'
import { preparedCases } from './psi/prepared.mjs'
import { protocolCases } from './psi/protocols.mjs'
import { smallCases } from './psi/small.mjs'
import { totalCases, WITH_HELPER } from './psi/totals.mjs'

const ROUNDS_OF_MANY = 3

/**
 * @param {{ rows?: number }} [options] `rows`: of each file, and then files by RR22 and a total with a helper alone are
 *   measured, in a few rounds
 * @typedef {{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }} Case
 * @returns {Promise<Case[]>}
 */
export async function bench({ rows } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    if (rows !== undefined) {
      return [
        ...(await fileCases(folder, rows, ['rr22'], ROUNDS_OF_MANY)),
        ...(await totalCases(folder, [{ ...WITH_HELPER, count: rows, rounds: ROUNDS_OF_MANY }])),
      ]
    }
    return [
      ...(await fileCases(folder)),
      ...(await totalCases(folder)),
      ...(await preparedCases(folder)),
      ...(await protocolCases(folder)),
      ...(await smallCases(folder)),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
