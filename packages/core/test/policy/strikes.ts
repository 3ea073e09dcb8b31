/** A policy as a provider would write it, over bird strikes. */
export const STRIKES = `version: 1
owner: caa
grade: 2
entity: {column: operator, not: [MILITARY, BUSINESS]}
disclosure:
  minimumEntities: 10
  dominance: {n: 1, percent: 70}
approvals:
  reviewer: true
purposes: [aviation-safety]
consumers: [insurer]
expires: 2030-01-01T00:00:00Z
columns:
  operator: {role: identifier, uses: [join]}
  damage: {role: attribute, uses: [group, filter], values: public}
  cost: {role: measure, uses: [aggregate], bounds: {min: 0, max: 1.5e9}}
`
