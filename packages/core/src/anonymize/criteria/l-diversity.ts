import { unreachable } from '../../errors.js'
import type { Diversity } from '../config/config.js'
import { type Criterion, type Distribution, MARGIN } from './criterion.js'

/**
 * ℓ-diversity of a sensitive column (Machanavajjhala et al., ACM TKDD 1(1), 2007): distinct values (section 4.2),
 * entropy (definition 4.1), recursive (c, ℓ) (definition 4.2). Entropy and recursive diversity hold for the union of
 * two classes that have them (theorems 5.1, 5.2), distinct values for any larger class.
 */
export function lDiversity(diversity: Diversity, column: number): Criterion {
  switch (diversity.kind) {
    case 'distinct':
      return criterion('distinct-l-diversity', 'superset', column, ({ codes }) => codes.length >= diversity.l)
    case 'entropy':
      return criterion(
        'entropy-l-diversity',
        'union',
        column,
        own => entropyOf(own) >= Math.log(diversity.l) - MARGIN,
      )
    case 'recursive':
      return criterion('recursive-l-diversity', 'union', column, own =>
        isRecursive(own, diversity.c, diversity.l),
      )
    default:
      return unreachable(diversity)
  }
}

function criterion(
  name: string,
  monotone: Criterion['monotone'],
  column: number,
  holds: (distribution: Distribution) => boolean,
): Criterion {
  return { name, monotone, column, satisfied: view => holds(view.distribution(column)) }
}

/** In nats. */
export function entropyOf({ counts, codes, size }: Distribution): number {
  let sum = 0
  for (const code of codes) sum += counts[code]! * Math.log(counts[code]!)
  return Math.log(size) - sum / size
}

/** r1 < c (r_l + r_{l+1} + … + r_m), the r in falling order */
function isRecursive({ counts, codes }: Distribution, c: number, l: number): boolean {
  if (codes.length < l) return false
  const falling = codes.map(code => counts[code]!).sort((a, b) => b - a)
  const tail = falling.slice(l - 1).reduce((sum, count) => sum + count, 0)
  return falling[0]! < c * tail
}
