import { Translator } from './translate.js'
import { zhColumns } from './zh/columns.js'
import { zhHe } from './zh/he.js'
import { zhJoint } from './zh/joint.js'
import { zhPolicy } from './zh/policy.js'
import { zhProtocols } from './zh/protocols.js'
import { zhPsi } from './zh/psi.js'
import { zhRecord } from './zh/record.js'
import { zhSchema } from './zh/schema.js'
import { zhSql } from './zh/sql.js'
import { zhStatistics } from './zh/statistics.js'
import { zhZone } from './zh/zone.js'

/** The texts of errors in Chinese. Loaded when there is an error to show. */
export const zhTexts = new Translator(
  zhSql,
  zhPolicy,
  zhZone,
  zhRecord,
  zhJoint,
  zhProtocols,
  zhSchema,
  zhPsi,
  zhColumns,
  zhHe,
  zhStatistics,
)
