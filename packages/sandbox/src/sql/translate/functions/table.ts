import { DATE_FUNCTIONS } from './dates.js'
import { NUMBER_FUNCTIONS } from './numbers.js'
import type { FunctionRule } from './rule.js'
import { TEXT_FUNCTIONS } from './texts.js'

/** Every scalar function and operator, by its lower-case SQL name. `docs/sql.md` lists the same (a test compares). */
export const SCALAR_FUNCTIONS: ReadonlyMap<string, FunctionRule> = new Map([
  ...NUMBER_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...DATE_FUNCTIONS,
])
