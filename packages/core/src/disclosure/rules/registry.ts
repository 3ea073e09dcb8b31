import { complementOf } from './complement.js'
import { dominance } from './dominance.js'
import { minimumEntities, minimumEntitiesOfGroup } from './minimum-entities.js'
import { pPercent } from './p-percent.js'
import type { DisclosureRule } from './rule.js'

const CELL_RULES: readonly DisclosureRule[] = [minimumEntities, dominance, pPercent]

/** Every rule, in the order in which a suppression names the first that failed. */
export const RULES: readonly DisclosureRule[] = [
  minimumEntitiesOfGroup,
  ...CELL_RULES,
  complementOf(CELL_RULES),
]
