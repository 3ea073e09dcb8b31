import type { Expression } from '@sluice/core/plan'
import type { InputForm, JointJob, JointOperation, Statistic } from '@sluice/mpc'
import { columnsOf, query } from './plans.js'

export interface Wanted {
  /** names of the columns that the statistic is of, groups first */
  readonly columns: readonly string[]
  readonly where?: Expression
  readonly minimum?: number
  /** of each joined input */
  readonly rows?: number
}

/**
 * Makes jobs that ask one statistic of rows of inputs joined by their entities; beside these inputs stands a model's,
 * which has one row, where there is one.
 */
export function statisticJobs(base: JointJob, forms: readonly InputForm[], model?: InputForm) {
  const c = columnsOf(forms)
  return (
    statistic: Statistic,
    { columns, where, minimum = 1, rows = 0 }: Wanted,
  ): { job: JointJob; operation: JointOperation } => {
    const { root, ...plan } = query({ inputs: forms, ...(where && { where }), aggregates: { n: ['count'] } })
    const output = columns.map(name => ({ name, id: (c.expression(name) as { id: number }).id }))
    const input = root.kind === 'aggregate' ? root.input : root
    const operation: JointOperation = {
      name: 'asked',
      plan: { ...plan, root: input, output },
      statistic,
      receivers: ['bureau', 'operator'],
    }
    const described = (form: InputForm, count: number) => ({
      ...form,
      rows: count,
      fingerprint: '0'.repeat(64),
    })
    const inputs = [...forms.map(form => described(form, rows)), ...(model ? [described(model, 1)] : [])]
    return { job: { ...base, inputs, operations: [operation], minimumEntities: minimum }, operation }
  }
}
