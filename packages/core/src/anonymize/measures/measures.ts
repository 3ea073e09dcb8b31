import { unreachable } from '../../errors.js'
import type { MeasureName } from '../config/config.js'
import type { Records } from '../table.js'
import { averageClassSize } from './average-class-size.js'
import { discernibility } from './discernibility.js'
import type { Measure } from './measure.js'
import { nonUniformEntropy } from './non-uniform-entropy.js'

export function measureOf(name: MeasureName, records: Records, rows: number, k: number): Measure {
  switch (name) {
    case 'non-uniform-entropy':
      return nonUniformEntropy(records)
    case 'discernibility':
      return discernibility(rows)
    case 'average-class-size':
      return averageClassSize(rows, k)
    default:
      return unreachable(name)
  }
}
