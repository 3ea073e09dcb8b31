import { type DisclosureRule, marks } from './rule.js'

/** A group needs so many distinct entities (threshold rule; Handbook on Statistical Disclosure Control, section 4.2). */
export const minimumEntitiesOfGroup: DisclosureRule = {
  name: 'minimum-entities',
  part: 'group',
  applies: () => true,
  unsafe: ({ minimumEntities }, { entities }) =>
    marks(entities.length, row => entities[row]! >= minimumEntities),
}

/** And so does every cell, by the entities of the rows that take part in it. */
export const minimumEntities: DisclosureRule = { ...minimumEntitiesOfGroup, part: 'cell' }
