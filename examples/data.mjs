// Real government data, as the npm package vega-datasets ships it: the FAA's wildlife strikes (10,000 reports) and the
// US Department of Transportation's on-time records (3,000,000 flights). See the package's SOURCES.md.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = join(dirname(dirname(fileURLToPath(import.meta.resolve('vega-datasets')))), 'data')

export const birdStrikes = join(folder, 'birdstrikes.csv')
export const flights = join(folder, 'flights-3m.parquet')
