import { SluiceError } from '@sluice/core'
import {
  type Checkpoint,
  cosignCheckpoint,
  parseCheckpoint,
  verifyCheckpoint,
} from '../checkpoint/checkpoint.js'
import type { Signer } from '../keys/signer.js'
import { verifyConsistency } from '../tree/proofs.js'
import type { Ledger } from './ledger.js'

export interface WitnessOptions {
  /** the note of the checkpoint that the witness kept last time; without it nothing says that this one continues it */
  readonly since?: string | undefined
  /** seconds since the epoch */
  readonly time: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Cosigns a ledger's newest checkpoint (C2SP tlog-cosignature), after checking that it continues the one that the
 * witness saw before, and adds the cosignature to the ledger. The witness keeps what this returns, outside the zone.
 *
 * @throws SluiceError CHECKPOINT_INVALID (`since` is not of this ledger), LEDGER_ROLLED_BACK, LEDGER_FORKED
 */
export async function witness(ledger: Ledger, signer: Signer, options: WitnessOptions): Promise<Checkpoint> {
  const newest = await ledger.checkpoint()
  if (options.since !== undefined) await assertContinues(ledger, parseCheckpoint(options.since), newest)
  const cosigned = await cosignCheckpoint(newest, signer, options.time)
  return ledger.addCosignature(cosigned.note, signer.publicKey, { signal: options.signal })
}

async function assertContinues(ledger: Ledger, seen: Checkpoint, newest: Checkpoint): Promise<void> {
  verifyCheckpoint(seen, ledger.logKey)
  if (seen.size > newest.size) {
    throw new SluiceError(
      'LEDGER_ROLLED_BACK',
      `the checkpoint seen before has ${seen.size} entries, and this ledger has ${newest.size}`,
      { rule: 'ledger.rollback', remedy: 'Do not cosign; ask for the ledger that the checkpoint is of.' },
    )
  }
  try {
    verifyConsistency(seen.size, newest.size, await ledger.consistency(seen.size), seen.root, newest.root)
  } catch (cause) {
    throw new SluiceError('LEDGER_FORKED', 'this ledger does not continue the checkpoint seen before', {
      rule: 'ledger.fork',
      remedy: 'Do not cosign; keep both checkpoints: together they prove that the log was forked.',
      cause,
    })
  }
}
