import { timingSafeEqual } from 'node:crypto'
import { SluiceError, unreachable } from '@sluice/core'
import { isNegative, isZero } from '../protocols/replicated/compare.js'
import { bitsToArithmetic } from '../protocols/replicated/convert.js'
import { inputOf } from '../protocols/replicated/input.js'
import { multiply } from '../protocols/replicated/multiply.js'
import { establish, type Index, type Party } from '../protocols/replicated/party.js'
import { type Arithmetic, affineOf, known, not, subtract } from '../protocols/replicated/shares.js'
import { type Measure, type OpenedCells, openAtLeast, totals } from '../protocols/replicated/totals.js'
import type { Words } from '../ring/kernels.js'
import type { Protocol } from '../session/protocol.js'
import type { NumberColumn, PreparedColumn } from './columns.js'
import { scaled } from './decimal.js'
import { type Condition, columnOf, type JointColumn, type JointJob, partyIndex } from './job.js'

/** What a party brings: its own columns, and a digest of its rows' entities in their order. */
export interface JointInputs {
  readonly columns: ReadonlyMap<string, PreparedColumn>
  /** 32 bytes; not given where the party owns no column */
  readonly alignment?: Uint8Array<ArrayBuffer>
}

/**
 * The whole of a joint job as one of its parties: the rows' order is compared, columns are shared, conditions are
 * evaluated, cells totalled and, from the minimum of entities on, opened to the receivers.
 *
 * A condition over columns of one owner is evaluated by that owner and shared as its outcome; one over columns of two
 * is evaluated on shares. A null meets no condition and is in no total.
 */
export function* jointProtocol(
  job: JointJob,
  self: Index,
  inputs: JointInputs,
  session: string,
): Protocol<OpenedCells | undefined> {
  const party = yield* establish(self, session)
  yield* compareRows(job, self, inputs)
  const shared = new SharedColumns(job, party, inputs)
  const filters: Arithmetic[] = []
  for (const owner of [0, 1, 2] as const) {
    const own = job.where.filter(condition => ownerOf(job, condition) === owner)
    if (own.length > 0)
      filters.push(yield* shared.flags(owner, row => own.every(c => holds(job, inputs, c, row))))
  }
  for (const condition of job.where) {
    if (ownerOf(job, condition) === undefined)
      filters.push(yield* acrossOwners(job, party, shared, condition))
  }
  const dimensions: Arithmetic[][] = []
  let filter: Arithmetic | undefined
  for (const other of filters) filter = filter === undefined ? other : yield* multiply(party, filter, other)
  if (filter !== undefined) dimensions.push([filter])
  for (const name of job.groupBy) dimensions.push(yield* shared.categories(columnOf(job, name)))
  const ones = known(party, new BigUint64Array(job.rows).fill(1n))
  const measures: Measure[] = [{ values: ones }]
  for (const name of job.totals) measures.push(yield* shared.number(columnOf(job, name)))
  const receivers = job.receivers.map(name => partyIndex(job, name))
  const cells = yield* totals(party, dimensions, measures)
  return yield* openAtLeast(party, cells, BigInt(job.minimumEntities), receivers)
}

/** Owners show each other that their rows are the same entities in the same order, by a digest under the session. */
function* compareRows(job: JointJob, self: Index, { alignment }: JointInputs): Protocol<void> {
  const owners = [...new Set(job.columns.map(({ owner }) => partyIndex(job, owner)))]
  const others = owners.filter(owner => owner !== self)
  if (alignment === undefined || !owners.includes(self)) {
    yield { send: [], receive: [] }
    return
  }
  const received = yield {
    send: others.map(to => ({ to, bytes: alignment })),
    receive: others.map(from => ({ from, bytes: alignment.length })),
  }
  others.forEach((owner, position) => {
    if (timingSafeEqual(received[position]!, alignment)) return
    const { name } = job.parties[owner]!
    throw new SluiceError(
      'JOB_MISMATCH',
      `the rows of "${name}" are not those of this party, in their order`,
      {
        rule: 'job.rows',
        remedy: 'agree on the list of entities first, one row each, and sort by it',
        facts: { party: name },
      },
    )
  })
}

/** Columns on their way into shares, each once. */
class SharedColumns {
  readonly #job: JointJob
  readonly #party: Party
  readonly #inputs: JointInputs
  readonly #numbers = new Map<string, Measure>()

  constructor(job: JointJob, party: Party, inputs: JointInputs) {
    this.#job = job
    this.#party = party
    this.#inputs = inputs
  }

  *number(column: JointColumn): Protocol<Measure> {
    const known = this.#numbers.get(column.name)
    if (known !== undefined) return known
    const own = this.#inputs.columns.get(column.name) as NumberColumn | undefined
    const values = yield* this.#share(column.owner, own?.values)
    const measure: Measure = column.nullable
      ? { values, present: yield* this.#share(column.owner, own?.present) }
      : { values }
    this.#numbers.set(column.name, measure)
    return measure
  }

  *categories({ name, owner, type }: JointColumn): Protocol<Arithmetic[]> {
    const columns: Arithmetic[] = []
    if (type.kind !== 'category') return columns
    const own = this.#inputs.columns.get(name)
    const codes = own?.kind === 'category' ? own.codes : undefined
    for (let place = 0; place < type.categories.length; place++) {
      columns.push(yield* this.flags(partyIndex(this.#job, owner), row => codes![row] === place))
    }
    return columns
  }

  /** A column of zeros and ones that one party can say. */
  *flags(owner: Index, test: (row: number) => boolean): Protocol<Arithmetic> {
    const { rows } = this.#job
    if (this.#party.index !== owner) return yield* inputOf(this.#party, owner, rows)
    const flags = new BigUint64Array(rows)
    for (let row = 0; row < rows; row++) if (test(row)) flags[row] = 1n
    return yield* inputOf(this.#party, owner, flags)
  }

  *#share(owner: string, values: Words | undefined): Protocol<Arithmetic> {
    return yield* inputOf(this.#party, partyIndex(this.#job, owner), values ?? this.#job.rows)
  }
}

/** The one party that owns all that a condition is about. */
function ownerOf(job: JointJob, { column, than }: Condition): Index | undefined {
  const owners = [column, ...('column' in than ? [than.column] : [])].map(name => columnOf(job, name).owner)
  return new Set(owners).size === 1 ? partyIndex(job, owners[0]!) : undefined
}

/** In the clear, at the owner. */
function holds(
  job: JointJob,
  { columns }: JointInputs,
  { column, is, than }: Condition,
  row: number,
): boolean {
  const left = columns.get(column)!
  const { type } = columnOf(job, column)
  if (left.kind === 'category') {
    const place = type.kind === 'category' && 'value' in than ? type.categories.indexOf(than.value) : -1
    return left.codes[row] !== -1 && (left.codes[row] === place) === (is === '=')
  }
  const right = 'column' in than ? (columns.get(than.column) as NumberColumn) : undefined
  if (left.present[row] === 0n || right?.present[row] === 0n) return false
  const constant = 'value' in than && type.kind === 'number' ? scaled(than.value, type.scale) : undefined
  const other = right === undefined ? constant! : BigInt.asIntN(64, right.values[row]!)
  return compared(is, BigInt.asIntN(64, left.values[row]!) - other)
}

function compared(is: Condition['is'], difference: bigint): boolean {
  switch (is) {
    case '<':
      return difference < 0n
    case '<=':
      return difference <= 0n
    case '=':
      return difference === 0n
    case '!=':
      return difference !== 0n
    case '>=':
      return difference >= 0n
    case '>':
      return difference > 0n
    default:
      return unreachable(is)
  }
}

/** On shares; bounds keep the difference within the range of a comparison. */
function* acrossOwners(
  job: JointJob,
  party: Party,
  shared: SharedColumns,
  { column, is, than }: Condition,
): Protocol<Arithmetic> {
  const left = yield* shared.number(columnOf(job, column))
  const right = yield* shared.number(columnOf(job, 'column' in than ? than.column : column))
  const difference = subtract(left.values, right.values)
  const turned = is === '>' || is === '<='
  const tested = ['=', '!='].includes(is)
    ? yield* isZero(party, difference)
    : yield* isNegative(party, turned ? affineOf(party, difference, MINUS_ONE, 0n) : difference)
  const bits = ['!=', '>=', '<='].includes(is) ? not(party, tested) : tested
  let flags = yield* bitsToArithmetic(party, bits, job.rows)
  for (const { present } of [left, right]) {
    if (present !== undefined) flags = yield* multiply(party, flags, present)
  }
  return flags
}

const MINUS_ONE = 2n ** 64n - 1n
