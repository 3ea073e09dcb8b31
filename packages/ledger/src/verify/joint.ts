import type {
  Founding,
  JointBreak,
  JointEnd,
  JointStart,
  PartyFounding,
  PredicateKind,
} from '../entries/predicates.js'
import type { Refuse } from './refuse.js'

/**
 * Joint jobs in a party's own ledger: a run starts once and has one outcome at most. One without an outcome is a party
 * that was killed, or that still computes.
 */
export class JointRuns {
  readonly #party: string | null
  /** those without an outcome yet */
  readonly #open = new Map<string, JointStart>()
  readonly #seen = new Set<string>()

  constructor(founding: Founding | PartyFounding) {
    this.#party = founding.kind === 'party-founding' ? founding.party.name : null
  }

  /** A zone's ledger holds no joint runs and no intersections, a party's own nothing else. */
  assertBelongs(kind: PredicateKind, refuse: Refuse): void {
    const isOfParty = kind.startsWith('joint-') || kind.startsWith('psi-')
    if (this.#party === null && isOfParty)
      throw refuse('order.joint', 'joint runs and intersections stand in a party’s own ledger')
    if (this.#party !== null && !isOfParty && kind !== 'key-change')
      throw refuse('order.joint', 'a party’s own ledger holds its joint runs and intersections alone')
  }

  take(predicate: JointStart | JointEnd | JointBreak, refuse: Refuse): void {
    if (predicate.kind === 'joint-start') {
      if (this.#seen.has(predicate.run)) throw refuse('order.run', 'this run is in the ledger already')
      if (!predicate.parties.includes(this.#party!))
        throw refuse('order.joint', 'the run is one in which this party takes no part')
      this.#seen.add(predicate.run)
      this.#open.set(predicate.run, predicate)
      return
    }
    const start = this.#open.get(predicate.run)
    if (start === undefined || start.jobDigest !== predicate.jobDigest)
      throw refuse('order.outcome', 'there is no run of this job that it could be the outcome of')
    const named = [...predicate.links.map(({ peer }) => peer)]
    if (predicate.kind === 'joint-break' && predicate.about !== null) named.push(predicate.about)
    if (predicate.kind === 'joint-end') named.push(...(predicate.left ?? []))
    if (named.some(name => name === this.#party || !start.parties.includes(name)))
      throw refuse('order.outcome', 'it names somebody who takes no part in the run')
    this.#open.delete(predicate.run)
  }
}
