import { SluiceError } from '../../errors.js'

/**
 * A generalization hierarchy over the values of one column: a tree in which every leaf has the same depth. Level 0 is
 * the values themselves; a level up, values that share a label are one.
 */
export interface Hierarchy {
  /** `codes[level][value]`: the dense code of a base value at that level; `codes[0]` is the identity */
  readonly codes: readonly Uint32Array[]
  /** `labels[level][code]`: what is written for it; null is a missing value */
  readonly labels: readonly (readonly (string | null)[])[]
}

/** What is written where a value is generalized to anything. */
export const ANY = '*'

export function heightOf({ codes }: Hierarchy): number {
  return codes.length - 1
}

/**
 * Makes a hierarchy of the labels that a value has on its way up. A missing value (null) stays missing at each level,
 * but is anything where everything else is.
 *
 * @param values distinct base values, by code
 * @param path the labels of a value from level 1 on, all of one length
 * @throws SluiceError HIERARCHY_INVALID `hierarchy.tree` where values that are one at a level are not one above it
 */
export function hierarchyOf(
  column: string,
  values: readonly (string | null)[],
  path: (value: string, code: number) => readonly string[],
): Hierarchy {
  const paths = values.map((value, code) => (value === null ? null : path(value, code)))
  const height = paths.find(labels => labels !== null)?.length ?? 1
  const codes: Uint32Array[] = [Uint32Array.from(values, (_, code) => code)]
  const labels: (string | null)[][] = [[...values]]
  for (let level = 1; level <= height; level++) {
    const known = new Map<string | null, number>()
    const above = paths.map(own => (own === null ? null : own[level - 1]!))
    const only = new Set(above.filter(label => label !== null))
    const single = only.size <= 1 && level === height
    const [root = ANY] = only
    codes.push(
      Uint32Array.from(above, label => {
        const shown = label === null && single ? root : label
        const code = known.get(shown) ?? known.size
        known.set(shown, code)
        return code
      }),
    )
    labels.push([...known.keys()])
    requireTree(column, codes[level - 1]!, codes[level]!, level)
  }
  return { codes, labels }
}

/** A value, or anything. */
export function valueOrAny(column: string, values: readonly (string | null)[]): Hierarchy {
  return hierarchyOf(column, values, () => [ANY])
}

function requireTree(column: string, below: Uint32Array, above: Uint32Array, level: number): void {
  const parents = new Map<number, number>()
  for (let value = 0; value < below.length; value++) {
    const parent = parents.get(below[value]!)
    if (parent === undefined) parents.set(below[value]!, above[value]!)
    else if (parent !== above[value]) throw notTree(column, level)
  }
}

function notTree(column: string, level: number): SluiceError {
  return new SluiceError(
    'HIERARCHY_INVALID',
    `the hierarchy of column "${column}" is no tree: values that are one at level ${level - 1} are not one at level ${level}`,
    {
      rule: 'hierarchy.tree',
      remedy: 'Let every level put whole groups of the level below together.',
      facts: { column, level },
    },
  )
}
