import { unreachable } from '@sluice/core'
import type {
  Founding,
  PartyFounding,
  PsiBreak,
  PsiEnd,
  PsiRotation,
  PsiSet,
  PsiStart,
} from '../entries/predicates.js'
import { readKey } from './keys.js'
import type { Refuse } from './refuse.js'

/**
 * Intersections in a party's own ledger, counted anew: no run beyond what its job allows, no counterpart beyond its
 * quota, whatever wrote the entries. A run without an outcome is a party that was killed, or that still computes.
 */
export class Intersections {
  readonly #party: string | null
  readonly #runs = new Map<string, PsiStart>()
  readonly #ended = new Set<string>()
  /** by job */
  readonly #counted = new Map<string, number>()
  /** items tested, by the counterpart's key */
  readonly #tested = new Map<string, number>()
  readonly #sets = new Map<string, { epoch: number; readonly files: Set<string> }>()

  constructor(founding: Founding | PartyFounding) {
    this.#party = founding.kind === 'party-founding' ? founding.party.name : null
  }

  take(predicate: PsiStart | PsiEnd | PsiBreak | PsiSet | PsiRotation, refuse: Refuse): void {
    switch (predicate.kind) {
      case 'psi-start':
        this.#start(predicate, refuse)
        break
      case 'psi-end':
      case 'psi-break':
        this.#outcome(predicate, refuse)
        break
      case 'psi-set':
      case 'psi-rotation':
        this.#set(predicate, refuse)
        break
      default:
        unreachable(predicate)
    }
  }

  #start(start: PsiStart, refuse: Refuse): void {
    const { session, jobDigest, parties, counterparts, quota, prepared, resumes, input } = start
    if (this.#runs.has(session)) throw refuse('order.run', 'this run is in the ledger already')
    const others = parties.filter(name => name !== this.#party)
    if (others.length === parties.length || counterparts.some(({ name }) => !others.includes(name)))
      throw refuse('order.psi', 'it is not between this party and others of the job')
    if (prepared !== undefined && (this.#sets.get(prepared.set)?.epoch ?? 0) > prepared.epoch)
      throw refuse('psi.rotation', 'the key of the prepared set had been replaced')
    if (resumes === undefined) {
      const runs = (this.#counted.get(jobDigest) ?? 0) + 1
      if (runs > quota.runs) throw refuse('psi.runs', 'the job had run as often as it may')
      this.#counted.set(jobDigest, runs)
    } else {
      const first = this.#runs.get(resumes)
      if (first?.jobDigest !== jobDigest || first.resumes !== undefined || first.input !== input)
        throw refuse('psi.kept', 'there is no run of this job and this input that it could go on with')
    }
    for (const { key, items } of counterparts) {
      if (items === 0) continue
      const raw = readKey(key).raw.toString('hex')
      const tested = (this.#tested.get(raw) ?? 0) + items
      if (tested > quota.lifetimeItems) throw refuse('psi.quota', 'a counterpart had used its quota')
      this.#tested.set(raw, tested)
    }
    this.#runs.set(session, start)
  }

  /** What was kept of a run that broke off can be finished later, without the others: then an outcome follows a break. */
  #outcome(outcome: PsiEnd | PsiBreak, refuse: Refuse): void {
    const start = this.#runs.get(outcome.session)
    if (start?.jobDigest !== outcome.jobDigest || this.#ended.has(outcome.session))
      throw refuse('order.outcome', 'there is no run of this job that it could be the outcome of')
    const named = outcome.links.map(({ peer }) => peer)
    if (outcome.kind === 'psi-break' && outcome.about !== null) named.push(outcome.about)
    if (named.some(name => name === this.#party || !start.parties.includes(name)))
      throw refuse('order.outcome', 'it names somebody who takes no part in the run')
    if (outcome.kind === 'psi-end') this.#ended.add(outcome.session)
  }

  #set(entry: PsiSet | PsiRotation, refuse: Refuse): void {
    const set = this.#sets.get(entry.set) ?? { epoch: 0, files: new Set() }
    this.#sets.set(entry.set, set)
    if (entry.kind === 'psi-set') {
      if (entry.epoch < set.epoch) throw refuse('psi.rotation', 'the key of the set had been replaced')
      set.files.add(entry.file)
      return
    }
    if (entry.voided !== set.files.size)
      throw refuse('psi.rotation', 'it voids another number of files than there were')
    set.epoch = Math.max(set.epoch, entry.epoch)
    set.files.clear()
  }
}
