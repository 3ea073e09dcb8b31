import type { DisclosureRule } from './rule.js'

/**
 * What a selecting cell leaves of its group must be nobody, or itself be safe: otherwise the difference to the whole
 * group is the cell that the other rules would have suppressed.
 */
export function complementOf(rules: readonly DisclosureRule[]): DisclosureRule {
  return {
    name: 'complement',
    part: 'complement',
    applies: () => true,
    unsafe: (obligation, evidence) => {
      const unsafe = new Uint8Array(evidence.entities.length)
      for (const rule of rules) {
        if (!rule.applies(obligation)) continue
        const marked = rule.unsafe(obligation, evidence)
        for (let row = 0; row < marked.length; row++) unsafe[row]! |= marked[row]!
      }
      for (let row = 0; row < unsafe.length; row++) {
        if (evidence.exact[row] === 1 && evidence.entities[row] === 0) unsafe[row] = 0
      }
      return unsafe
    },
  }
}
