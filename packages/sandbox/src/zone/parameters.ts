import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalBytes } from '@sluice/core'
import type { ParameterValues } from '@sluice/core/plan'
import { type Commitment, commit, openCommitment } from '@sluice/ledger'
import { writeDurably, type ZoneLayout } from './layout.js'

/**
 * Keeps a run's parameters outside the ledger, under a random name, so that they can be erased; the ledger gets the
 * commitment. Written before the run's entry: a crash between leaves a file that no entry names.
 */
export async function storeParameters(layout: ZoneLayout, parameters: ParameterValues): Promise<Commitment> {
  const opening = commit('parameters', canonicalBytes(parameters))
  const bytes = canonicalBytes({ salt: opening.salt, parameters })
  await writeDurably(path(layout, opening.commitment), bytes)
  return opening
}

/**
 * A run's parameters; null where they were erased.
 *
 * @throws SluiceError PROOF_INVALID where they are not those that the run's entry commits to
 */
export async function readParameters(
  layout: ZoneLayout,
  commitment: string,
): Promise<ParameterValues | null> {
  const text = await readFile(path(layout, commitment), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const { salt, parameters } = JSON.parse(text) as { salt: string; parameters: ParameterValues }
  openCommitment('parameters', { commitment, salt }, canonicalBytes(parameters))
  return parameters
}

export async function eraseParameters(layout: ZoneLayout, commitment: string): Promise<void> {
  await rm(path(layout, commitment), { force: true })
}

function path(layout: ZoneLayout, commitment: string): string {
  return join(layout.results, `${commitment}.parameters`)
}
