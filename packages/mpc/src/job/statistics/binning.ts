import { binsOf } from '../../protocols/replicated/histogram.js'
import { provide } from '../../protocols/replicated/input.js'
import { multiply } from '../../protocols/replicated/multiply.js'
import type { Party } from '../../protocols/replicated/party.js'
import { score } from '../../protocols/replicated/score.js'
import type { Arithmetic } from '../../protocols/replicated/shares.js'
import type { Words } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import type { Chunk } from '../clear.js'
import { partyIndex } from '../job.js'
import type { Running } from '../protocol.js'
import type { SharedRows } from '../shared.js'
import { replicatedSharing } from '../sharing/replicated.js'
import type { Bins, Model } from './bins.js'

/**
 * A model's weights become shared, once for all rows.
 *
 * @param own the model's one row, at its owner
 * @returns nothing at a provider, and where there is no model
 */
export function* shareWeights(
  { job, query, self, party }: Running,
  own: Chunk | undefined,
): Protocol<Arithmetic | undefined> {
  const model = query.bins?.model
  if (model === undefined) return undefined
  const owner = partyIndex(job, model.input.owner)
  if (party !== undefined) {
    const weights = owner === self ? weightsIn(model, own!) : model.weights.length
    return yield* replicatedSharing(party).input(owner, weights)
  }
  if (owner === self) yield* provide(weightsIn(model, own!))
  return undefined
}

/** For some rows: which are in each bin, and where all columns have a value. */
export function* binRows(
  party: Party,
  shared: SharedRows,
  { columns, edges, labels }: Bins,
  weights: Arithmetic | undefined,
): Protocol<{ readonly flags: Arithmetic[]; readonly present?: Arithmetic }> {
  const values: Arithmetic[] = []
  let present: Arithmetic | undefined
  for (const value of columns) {
    const column = yield* shared.measure({ kind: 'values', value })
    values.push(column.values)
    if (column.present === undefined) continue
    present = present === undefined ? column.present : yield* multiply(party, present, column.present)
  }
  const binned = weights === undefined ? values[0]! : yield* score(party, values, weights)
  const flags = yield* binsOf(party, binned, edges, labels.length)
  return { flags, ...(present !== undefined && { present }) }
}

function weightsIn({ weights }: Model, { columns }: Chunk): Words {
  return BigUint64Array.from(weights, ({ column, factor }) => {
    const prepared = [...columns].find(([{ name }]) => name === column?.name)?.[1]
    return prepared?.kind === 'number' ? BigInt.asUintN(64, prepared.values[0]! * factor) : 0n
  })
}
