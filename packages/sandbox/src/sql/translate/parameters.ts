import { SluiceError } from '@sluice/core'
import {
  expressionsIn,
  expressionsOf,
  nodesOf,
  type ParameterSchema,
  type Plan,
  type PlanNode,
} from '@sluice/core/plan'
import { fold } from '../catalogue.js'

const PARAMETER_LIMIT = 100

/** The declared parameters by folded name. */
export function readParameters(declared: readonly ParameterSchema[]): ReadonlyMap<string, ParameterSchema> {
  const parameters = new Map<string, ParameterSchema>()
  if (declared.length > PARAMETER_LIMIT)
    throw invalid('there are too many parameters', `Declare at most ${PARAMETER_LIMIT}.`)
  for (const parameter of declared) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(parameter.name)) {
      throw invalid(
        'a parameter’s name is not a name',
        'Use letters, digits and _, not starting with a digit.',
      )
    }
    if (parameters.has(fold(parameter.name))) {
      throw invalid(`the parameter $${parameter.name} is declared twice`, 'Give each a name of its own.')
    }
    parameters.set(fold(parameter.name), parameter)
  }
  return parameters
}

/** The names of the parameters that a plan uses. */
export function parametersIn(root: PlanNode): ReadonlySet<string> {
  const names = new Set<string>()
  for (const node of nodesOf(root)) {
    for (const expression of expressionsOf(node)) {
      for (const part of expressionsIn(expression)) if (part.kind === 'parameter') names.add(part.name)
    }
  }
  return names
}

/** @throws SluiceError PARAMETER_INVALID where one is declared and the plan has no use for it */
export function allUsed(declared: readonly ParameterSchema[], used: ReadonlySet<string>): Plan['parameters'] {
  const idle = declared.find(({ name }) => !used.has(name))
  if (idle === undefined) return declared
  throw invalid(
    `the parameter $${idle.name} is declared and the query does not use it`,
    'Remove the declaration.',
  )
}

function invalid(message: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', message, { rule: 'sql.parameter', remedy })
}
