import { z } from 'zod'
import { SluiceError } from '../../errors.js'
import { TEXT } from '../column.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { lookup } from './lookup.js'
import { tableName } from './table-name.js'

/** The form of its description. */
export const HierarchyRule = z
  .strictObject({
    kind: z.literal('hierarchy'),
    table: tableName,
    level: z.int().min(1).max(16).describe('how many steps up: 1 to 16'),
  })
  .describe('{kind: hierarchy, table, level}: values to what stands above them (泛化)')

export type HierarchyRule = z.infer<typeof HierarchyRule>

/**
 * Texts to what stands so many levels above them in a hierarchy from a file. A value that the hierarchy does not have
 * is hidden; one that is its own ancestor is a fixed point.
 */
export const hierarchy: RuleDefinition<HierarchyRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text') throw wrongType('hierarchy', type, 'text')
    return TEXT
  },
  bind({ table, level }, { table: tableOf }) {
    const rows = [...tableOf(table)].map(([from, above]) => {
      const to = above[level - 1]
      if (to !== undefined) return [from, to] as const
      throw new SluiceError('RULE_INVALID', 'the hierarchy has fewer levels than the rule asks for', {
        rule: 'rule.hierarchy.level',
        remedy: `a level of 1 to ${above.length}`,
      })
    })
    return lookup(new Map(rows))
  },
}
