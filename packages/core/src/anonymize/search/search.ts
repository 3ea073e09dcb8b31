import { SluiceError } from '../../errors.js'
import type { Progress } from '../../plan/executor.js'
import { type Classes, Grouping } from '../classes.js'
import type { AnonymizeConfig } from '../config/config.js'
import type { Criterion } from '../criteria/criterion.js'
import { Evaluation, type Verdict } from '../criteria/evaluate.js'
import { criteriaOf } from '../criteria/model.js'
import { heightOf } from '../hierarchy/hierarchy.js'
import type { Measure } from '../measures/measure.js'
import { measureOf } from '../measures/measures.js'
import { nonUniformEntropy } from '../measures/non-uniform-entropy.js'
import { countRows, type Records } from '../table.js'
import { Lattice } from './lattice.js'
import { Pauses } from './pauses.js'
import { RollUp } from './roll-up.js'

export interface SearchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** look at every node: what the pruned search is measured against */
  readonly exhaustive?: boolean
}

/** The best node of the lattice. */
export interface Optimum {
  /** the level of each quasi-identifier */
  readonly levels: readonly number[]
  readonly loss: number
  readonly classes: Classes
  /** 1 for every class that is left out */
  readonly failing: Uint8Array
  readonly suppressed: number
  readonly nodes: number
  /** nodes whose classes were computed */
  readonly checked: number
}

/** What is known of a node. */
const FAILS = 1
const CHECKED = 2
/** it passes as far as the criteria go that hold for any larger class; its loss is not known */
const MAY_PASS = 4
const NOT_BEST = 8

/**
 * The node of least loss among those that meet the model: globally optimal full-domain generalization (OLA, El Emam
 * et al., JAMIA 16(5), 2009, section "Optimal Lattice Anonymization"; Flash, Kohlmayer et al., PASSAT 2012, section
 * IV: greedy paths and a binary search on each).
 *
 * Nodes are visited from the one on that would lose least if nothing were suppressed. A path goes up from each, to the
 * top, and a binary search finds on it where the criteria begin to hold. Nothing is left out that could be best:
 *
 * - Below a node that fails, every node is dropped only where that follows: always for k and distinct values (what is
 *   suppressed only grows downwards); for entropy and recursive diversity, t-closeness and δ-presence only where
 *   nothing may be suppressed. Else such a node alone is dropped, and the search goes on around it.
 * - A node is dropped for its loss only where a bound says so that no suppression can undercut: see `Measure`. The
 *   loss itself is not monotone where rows may be suppressed.
 *
 * @throws SluiceError ANONYMITY_UNREACHABLE where no node meets the model; CONFIG_INVALID; INTERRUPTED by the
 * signal's reason
 */
export async function searchOptimum(
  records: Records,
  config: Pick<AnonymizeConfig, 'model' | 'suppression' | 'measure'>,
  options: SearchOptions = {},
): Promise<Optimum> {
  const rows = countRows(records)
  const criteria = criteriaOf(config.model, records)
  const allowed = Math.floor(config.suppression * rows + 1e-9)
  const search = new Search(
    records,
    criteria,
    allowed,
    measureOf(config.measure, records, rows, config.model.k),
  )
  const best = await search.run(options)
  if (best !== null) return best
  throw new SluiceError('ANONYMITY_UNREACHABLE', 'no generalization of the columns meets the model', {
    rule: 'anonymity.unreachable',
    remedy:
      'Raise the suppression limit, let hierarchies end in one label, or ask for criteria that the table itself meets.',
  })
}

class Search {
  readonly #lattice: Lattice
  readonly #rollUp: RollUp
  readonly #evaluation: Evaluation
  readonly #measure: Measure
  readonly #tags: Uint8Array
  readonly #bounds: Float64Array
  /** what the order of nodes follows: of other measures nothing is known in advance, but they mostly agree with it */
  readonly #guide: Measure
  readonly #likely: Float64Array
  #floors: { node: number; floor: number }[] = []
  #best: Omit<Optimum, 'nodes' | 'checked'> | null = null
  #checked = 0

  constructor(records: Records, criteria: readonly Criterion[], allowed: number, measure: Measure) {
    this.#lattice = new Lattice(records.quasi.map(({ hierarchy }) => heightOf(hierarchy)))
    this.#rollUp = new RollUp(new Grouping(records))
    this.#evaluation = new Evaluation(records, criteria, allowed)
    this.#measure = measure
    this.#guide = nonUniformEntropy(records)
    this.#tags = new Uint8Array(this.#lattice.size)
    this.#bounds = new Float64Array(this.#lattice.size)
    this.#likely = new Float64Array(this.#lattice.size)
  }

  async run({ signal, onProgress, exhaustive = false }: SearchOptions): Promise<Optimum | null> {
    const order = this.#order()
    const pauses = new Pauses(signal)
    for (const [at, node] of order.entries()) {
      if (!exhaustive && this.#isSettled(node)) continue
      const tell = () => onProgress?.({ stage: 'search', fraction: at / order.length })
      await pauses.perhaps(tell)
      if (exhaustive || (this.#tags[node]! & MAY_PASS) !== 0) this.#check(node)
      else await this.#follow(this.#pathFrom(node), pauses, tell)
    }
    return this.#best && { ...this.#best, nodes: this.#lattice.size, checked: this.#checked }
  }

  /** From what is likely best on, then from the bottom up. */
  #order(): Uint32Array {
    const { size } = this.#lattice
    const heights = new Uint16Array(size)
    for (let node = 0; node < size; node++) {
      const levels = this.#lattice.levels(node)
      this.#bounds[node] = this.#measure.bound(levels)
      this.#likely[node] = this.#guide.bound(levels)
      heights[node] = levels.reduce((sum, level) => sum + level, 0)
    }
    const likely = this.#likely
    return Uint32Array.from({ length: size }, (_, node) => node).sort(
      (a, b) => likely[a]! - likely[b]! || heights[a]! - heights[b]! || a - b,
    )
  }

  #isSettled(node: number): boolean {
    if ((this.#tags[node]! & (FAILS | CHECKED | NOT_BEST)) !== 0) return true
    return this.#best !== null && this.#bounds[node]! >= this.#best.loss
  }

  /**
   * Upwards, always to the neighbour that is likeliest, as far as nothing is known of the criteria: past what can be
   * best too, for a node that fails higher up settles more below it, and has fewer classes to look at.
   */
  #pathFrom(node: number): number[] {
    const path = [node]
    for (;;) {
      let next = -1
      for (const candidate of this.#lattice.successors(path.at(-1)!)) {
        if ((this.#tags[candidate]! & (FAILS | CHECKED | MAY_PASS)) !== 0) continue
        if (next < 0 || this.#likely[candidate]! < this.#likely[next]!) next = candidate
      }
      if (next < 0) return path
      path.push(next)
    }
  }

  async #follow(path: readonly number[], pauses: Pauses, tell: () => void): Promise<void> {
    let low = 0
    let high = path.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      await pauses.perhaps(tell)
      if (this.#check(path[middle]!).mayPassBelow) high = middle - 1
      else low = middle + 1
    }
  }

  #check(node: number): Verdict {
    const classes = this.#rollUp.classesAt(this.#lattice.levels(node))
    const verdict = this.#evaluation.verdict(classes)
    this.#checked++
    this.#tags[node]! |= CHECKED
    if (verdict.mayPassBelow) this.#tagAll(this.#lattice.successors(node), MAY_PASS, 'successors')
    else this.#tagAll([node], FAILS, 'predecessors')
    if (verdict.passes) this.#offer(classes, verdict)
    this.#dropAbove(node, this.#measure.floor(classes))
    return verdict
  }

  #offer(classes: Classes, { failing, suppressed }: Verdict): void {
    const loss = this.#measure.loss(classes, failing)
    if (this.#best !== null && loss >= this.#best.loss) return
    this.#best = { levels: classes.levels, loss, classes, failing, suppressed }
    const known = this.#floors
    this.#floors = []
    for (const { node, floor } of known) this.#dropAbove(node, floor)
  }

  /** Above a node whose floor is no better than the best, nothing is better either; where it is, that is kept for later. */
  #dropAbove(node: number, floor: number): void {
    if (this.#best !== null && floor >= this.#best.loss) {
      this.#tagAll(this.#lattice.successors(node), NOT_BEST, 'successors')
    } else {
      this.#floors.push({ node, floor })
    }
  }

  /** A node that has the tag has it with all beyond, so that every node is entered once a tag. */
  #tagAll(nodes: readonly number[], tag: number, direction: 'successors' | 'predecessors'): void {
    const open = [...nodes]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if ((this.#tags[node]! & tag) !== 0) continue
      this.#tags[node]! |= tag
      open.push(...this.#lattice[direction](node))
    }
  }
}
