import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { canonicalBytes, canonicalDigest, type Json } from '../canonical.js'
import { SluiceError } from '../errors.js'
import { decodePlan, encodePlan } from '../plan/encode.js'
import type { AggregateFunction } from '../plan/functions.js'
import type { Aggregate, Plan } from '../plan/node.js'
import type { ReviewedPlan } from '../plan/review-types.js'
import {
  type DeclaredRanges,
  greatest,
  type Interval,
  intervalOf,
  intervalsOf,
  magnitude,
} from './intervals.js'
import { layoutOf, localAggregate } from './layout.js'
import {
  chooseParameters,
  ciphertextBytes,
  largestTotal,
  mostContributions,
  PARAMETER_SETS,
  type ParameterSet,
  type ParameterSetName,
  parameterSet,
} from './parameters.js'
import { generateKeys, publicKeyBytes } from './scheme.js'
import { loadSeal } from './scope.js'
import { sha256Hex } from './statement.js'

/** Name and semantics version, as approvals bind it. */
export const HE_ENGINE = 'bgv/1'

/** Somebody with a role in an aggregation, and the public key that their signatures are checked with. */
export interface Party {
  readonly name: string
  readonly key: string
}

/** The public list of groups. A group is a slot; its place here is its place in the opened total. */
export type Groups =
  /** values of the keys, as in `Literal`; one empty list where the plan has no key */
  | { readonly kind: 'list'; readonly keys: readonly (readonly (string | boolean | null)[])[] }
  /** one integer key: `first`, `first` + 1, … */
  | { readonly kind: 'range'; readonly first: number; readonly count: number }

/**
 * What all parties of one aggregation hold the same copy of. Whoever approves the request approves its digest; every
 * contribution, sum and audit names it. It is for one opening: the key pair was made for it.
 */
export interface Aggregation {
  readonly form: typeof AGGREGATION_FORM
  readonly engine: typeof HE_ENGINE
  /** 128 random bits, hexadecimal */
  readonly nonce: string
  /** the plan that is approved */
  readonly planDigest: string
  /** what each contributor computes over its own rows: see `layoutOf` */
  readonly local: Plan
  readonly groups: Groups
  /** bounds of the columns' values; a value outside is refused where it is encoded */
  readonly columns: DeclaredRanges
  /** most rows that one contributor may have in a group */
  readonly rowsPerGroup: number
  readonly contributors: readonly Party[]
  /** a sum of fewer contributions does not open; at least 3, since one of two knows the other's */
  readonly minimumContributors: number
  readonly keyHolder: Party
  readonly adder: Party
  /** recomputes the sum before it opens; null: the adder is trusted for integrity */
  readonly auditor: Party | null
  readonly parameters: ParameterSetName
  /** SHA-256 of the public key's bytes, hexadecimal */
  readonly publicKey: string
}

export const AGGREGATION_FORM = 'sluice-aggregation/1'
export const AGGREGATION_BYTES = 16 * 2 ** 20
const LEAST_CONTRIBUTORS = 3
const MOST_GROUPS = 2 ** 27

export interface AggregationDraft
  extends Pick<
    Aggregation,
    | 'groups'
    | 'columns'
    | 'rowsPerGroup'
    | 'contributors'
    | 'minimumContributors'
    | 'keyHolder'
    | 'adder'
    | 'auditor'
  > {
  readonly reviewed: ReviewedPlan
}

export interface NewAggregation {
  readonly aggregation: Aggregation
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/**
 * The key holder's beginning: checks that the plan fits, chooses the smallest parameters for the declared ranges, and
 * makes the key pair of this one aggregation.
 *
 * @throws SluiceError EVIDENCE_UNDEFINED where the engine cannot run the plan; PARAMETER_INVALID `he.range`,
 * `he.contributors`, `he.parties`, `he.groups`, `he.minimum-contributors` (the policy asks for more); ENGINE_VERSION
 */
export async function createAggregation(
  { reviewed, ...draft }: AggregationDraft,
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<NewAggregation> {
  const { local } = layoutOf(reviewed)
  for (const { dataset, contributors: limits } of reviewed.obligations) {
    if (limits === undefined || draft.minimumContributors >= limits.minimum) continue
    throw invalid(
      'minimum-contributors',
      `the policy of "${dataset}" asks for more contributors`,
      `Have a minimum of ${limits.minimum} and more.`,
    )
  }
  const bounds = componentBounds({ ...draft, local })
  const maximum = greatest(bounds)
  const set = chooseParameters({ contributors: draft.contributors.length, maximum })
  const { publicKey, secretKey } = generateKeys(await loadSeal(), set)
  const aggregation: Aggregation = {
    form: AGGREGATION_FORM,
    engine: HE_ENGINE,
    nonce: Buffer.from(random(16)).toString('hex'),
    planDigest: reviewed.planDigest,
    local,
    groups: draft.groups,
    columns: draft.columns,
    rowsPerGroup: draft.rowsPerGroup,
    contributors: draft.contributors,
    minimumContributors: draft.minimumContributors,
    keyHolder: draft.keyHolder,
    adder: draft.adder,
    auditor: draft.auditor,
    parameters: set.name,
    publicKey: sha256Hex(publicKey),
  }
  return { aggregation: parseAggregation(aggregationBytes(aggregation)), publicKey, secretKey }
}

/** The one encoding: canonical JSON (RFC 8785). */
export function aggregationBytes(aggregation: Aggregation): Uint8Array {
  return canonicalBytes(toJson(aggregation))
}

/** SHA-256 of `aggregationBytes`, hexadecimal: what is approved, and what every contribution names. */
export function aggregationDigest(aggregation: Aggregation): string {
  return canonicalDigest(toJson(aggregation))
}

/**
 * Reads an aggregation strictly: every field and no other, canonical bytes, ranges that its parameters can hold.
 *
 * @throws SluiceError FILE_FORMAT, FILE_TOO_LARGE, SCHEMA_INVALID, PARAMETER_INVALID
 */
export function parseAggregation(bytes: Uint8Array): Aggregation {
  if (bytes.length > AGGREGATION_BYTES) {
    throw new SluiceError('FILE_TOO_LARGE', 'an aggregation has at most 16 MiB', { rule: 'he.aggregation' })
  }
  const parsed = documentSchema.safeParse(jsonOf(bytes))
  if (!parsed.success) throw malformed(parsed.error.issues[0]?.path.join('.') ?? '')
  const aggregation = { ...parsed.data, local: decodePlan(parsed.data.local) } as Aggregation
  if (Buffer.compare(aggregationBytes(aggregation), bytes) !== 0) throw malformed('encoding')
  checkAggregation(aggregation)
  return aggregation
}

/** Sizes that follow from an aggregation. */
export interface Shape {
  readonly set: ParameterSet
  readonly components: number
  readonly slots: number
  /** runs of `degree` slots */
  readonly blocks: number
  /** in the order of the body: block by block, in each the components, of each the residues */
  readonly ciphertexts: number
  readonly ciphertextBytes: number
}

export function shapeOf(aggregation: Aggregation): Shape {
  const set = parameterSet(aggregation.parameters)
  const components = localAggregate(aggregation.local).aggregates.length
  const slots = slotsOf(aggregation.groups)
  const blocks = Math.ceil(slots / set.degree)
  const ciphertexts = blocks * components * set.plainPrimes.length
  return { set, components, slots, blocks, ciphertexts, ciphertextBytes: ciphertextBytes(set) }
}

/** The largest magnitude of one contributor's value for each component: rows × largest magnitude of a row's. */
export function componentBounds({
  local,
  columns,
  rowsPerGroup,
}: Pick<Aggregation, 'local' | 'columns' | 'rowsPerGroup'>): bigint[] {
  const { input, aggregates } = localAggregate(local)
  const intervals = intervalsOf(input, columns)
  return aggregates.map(column => boundOf(column, intervals) * BigInt(rowsPerGroup))
}

export function contributorOf(aggregation: Aggregation, name: string): Party | undefined {
  return aggregation.contributors.find(party => party.name === name)
}

function boundOf(column: Aggregate['aggregates'][number], intervals: ReadonlyMap<number, Interval>): bigint {
  return column.function === 'count' || column.argument === null
    ? 1n
    : magnitude(intervalOf(column.argument, intervals))
}

function slotsOf(groups: Groups): number {
  return groups.kind === 'list' ? groups.keys.length : groups.count
}

/** What adding ciphertexts gives. */
const ADDED: readonly AggregateFunction[] = ['count', 'sum']

function checkAggregation(aggregation: Aggregation): void {
  const { contributors, minimumContributors, groups, local, keyHolder, adder, auditor } = aggregation
  const { keys, aggregates } = localAggregate(local)
  if (aggregates.some(column => !ADDED.includes(column.function) || column.distinct)) throw malformed('local')
  if (minimumContributors > contributors.length) {
    throw invalid(
      'parties',
      'fewer contributors are named than the least that may be opened',
      'Name more contributors.',
    )
  }
  for (const list of [contributors.map(({ name }) => name), contributors.map(({ key }) => key)]) {
    if (new Set(list).size !== list.length) {
      throw invalid(
        'parties',
        'a contributor is named twice',
        'Name each contributor once, each with a key of its own.',
      )
    }
  }
  const roles = [keyHolder, adder, ...(auditor === null ? [] : [auditor])]
  if (new Set(roles.map(({ key }) => key)).size !== roles.length) {
    throw invalid(
      'parties',
      'key holder, adder and auditor are not different',
      'Give each role a key of its own.',
    )
  }
  if (contributors.some(({ key }) => key === adder.key || key === keyHolder.key)) {
    throw invalid(
      'parties',
      'a contributor is the key holder or the adder',
      'Have somebody else in those roles.',
    )
  }
  checkGroups(groups, keys.length)
  const set = parameterSet(aggregation.parameters)
  const total = BigInt(contributors.length)
  const fits = componentBounds(aggregation).every(bound => bound * total <= largestTotal(set))
  if (!fits || contributors.length > mostContributions(set)) {
    throw invalid(
      'range',
      'the declared ranges do not fit the parameters',
      'Use parameters chosen from the ranges.',
    )
  }
}

function checkGroups(groups: Groups, keys: number): void {
  if (groups.kind === 'range') {
    const last = groups.first + groups.count
    if (keys === 1 && Number.isSafeInteger(last)) return
    throw invalid('groups', 'a range of groups is for one integer key', 'Give a list of groups.')
  }
  const known = new Set(groups.keys.map(key => JSON.stringify(key)))
  if (known.size === groups.keys.length && groups.keys.every(key => key.length === keys)) return
  throw invalid(
    'groups',
    'the groups are not a list of different keys of the plan',
    'Name each group once, with a value for every key.',
  )
}

function toJson({ local, ...rest }: Aggregation): Json {
  return { ...rest, local: JSON.parse(new TextDecoder().decode(encodePlan(local))) } as unknown as Json
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw malformed('encoding')
  }
}

const party = z.strictObject({ name: z.string().min(1).max(200), key: z.string().min(1).max(512) })
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const literal = z.union([z.string().max(1000), z.boolean(), z.null()])

const documentSchema = z.strictObject({
  form: z.literal(AGGREGATION_FORM),
  engine: z.literal(HE_ENGINE),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  planDigest: digest,
  local: z.record(z.string(), z.unknown()),
  groups: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('list'),
      keys: z
        .array(z.array(literal).max(16))
        .min(1)
        .max(2 ** 20),
    }),
    z.strictObject({ kind: z.literal('range'), first: z.int(), count: z.int().min(1).max(MOST_GROUPS) }),
  ]),
  columns: z.record(
    z.string().max(128),
    z.strictObject({ minimum: z.string().max(80), maximum: z.string().max(80) }),
  ),
  rowsPerGroup: z
    .int()
    .min(1)
    .max(2 ** 50),
  contributors: z.array(party).min(LEAST_CONTRIBUTORS).max(200_000),
  minimumContributors: z.int().min(LEAST_CONTRIBUTORS),
  keyHolder: party,
  adder: party,
  auditor: party.nullable(),
  parameters: z.enum(PARAMETER_SETS.map(({ name }) => name) as [ParameterSetName, ...ParameterSetName[]]),
  publicKey: digest,
})

function malformed(path: string): SluiceError {
  return new SluiceError('FILE_FORMAT', `this is not an aggregation of form ${AGGREGATION_FORM}: "${path}"`, {
    rule: 'he.aggregation',
    remedy: 'Use the file as `sluice he keygen` wrote it.',
  })
}

function invalid(rule: string, message: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', message, { rule: `he.${rule}`, remedy })
}

/** @throws SluiceError KEY_INVALID where this is not the public key that the aggregation names */
export function assertPublicKey(aggregation: Aggregation, publicKey: Uint8Array): void {
  const set = parameterSet(aggregation.parameters)
  const sized = publicKey.length === publicKeyBytes(set) * set.plainPrimes.length
  if (sized && sha256Hex(publicKey) === aggregation.publicKey) return
  throw new SluiceError('KEY_INVALID', 'this is not the public key that the aggregation names', {
    rule: 'he.public-key',
    remedy: 'Use the public key file that came with the aggregation, from its key holder.',
  })
}
