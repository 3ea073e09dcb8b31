import type { Catalogue, CatalogueEntity } from './catalogue/types.js'
import type { NameEvidence } from './column-name.js'
import { type Share, shareOf } from './interval.js'
import { CHECKSUM, DICTIONARY, FORMAT } from './recognizer.js'
import type { Tally } from './scan.js'
import type { Candidate, EvidenceKind } from './types.js'

/** From that confidence on a column is said to hold an entity. */
export const RECOGNIZED = 0.5
/** Below that nothing is worth telling. */
const TOLD = 0.05
/** What a column's name adds to the confidence. */
const NAME_WEIGHT = 0.6
/** What is left of it where the values are of another form than the name says. */
const CONTRADICTED = 0.5
/** What is left of an entity's confidence where the name speaks for another one that the values allow. */
const NAMED_OTHERWISE = 0.6

/** How many rows the counts stand for; null where nobody knows. */
export type Population = number | null

/**
 * What a column may hold, most likely first. Each tier counts from a share of values that cannot be chance (`from`) up
 * to one that allows for dirt (`full`): real registers have typing errors, and test data fails checksums throughout.
 *
 * @param entities as the counts are in order of
 */
export function candidatesOf(
  catalogue: Catalogue,
  recognized: readonly CatalogueEntity[],
  tally: Tally,
  named: NameEvidence | null,
  population: Population,
): Candidate[] {
  const weighed = catalogue.entities.map(entity => {
    const index = recognized.indexOf(entity)
    const name = named?.entity === entity.name ? named.strength : 0
    return weigh(entity, index < 0 ? null : countsOf(tally, index), tally, name, population)
  })
  const firmly = weighed.find(({ name, allowed }) => name === 1 && allowed)
  return weighed
    .map(({ candidate, name }) =>
      firmly === undefined || name > 0
        ? candidate
        : { ...candidate, confidence: candidate.confidence * NAMED_OTHERWISE },
    )
    .filter(candidate => candidate.confidence >= TOLD)
    .sort((a, b) => b.confidence - a.confidence)
}

interface Counts {
  readonly format: number
  readonly dictionary: number
  readonly checksum: number
}

/** Values that have the format, and of these those whose list or check character speaks for it. */
function countsOf({ counts }: Tally, index: number): Counts {
  const [format, dictionary, checksum] = [FORMAT, DICTIONARY, CHECKSUM].map(tier => counts[4 * index + tier]!)
  return {
    format: format! + dictionary! + checksum!,
    dictionary: dictionary!,
    checksum: checksum!,
  }
}

interface Weighed {
  readonly candidate: Candidate
  /** strength of the name for it */
  readonly name: number
  /** do the values leave it possible */
  readonly allowed: boolean
}

function weigh(
  entity: CatalogueEntity,
  counts: Counts | null,
  tally: Tally,
  name: number,
  population: Population,
): Weighed {
  const present = tally.rows - tally.nulls - tally.blanks
  const { recognizer, label } = entity
  const evidence: EvidenceKind[] = []
  let doubt = 1
  const add = (kind: EvidenceKind, weight: number, strength: number) => {
    if (strength <= 0) return
    evidence.push(kind)
    doubt *= 1 - weight * strength
  }
  let matches: Share | null = null
  if (recognizer !== null && counts !== null && present > 0) {
    const { weights, chance = 0 } = recognizer
    const share = (count: number) => count / present
    const repeated = recognizer.diverse === true && isRepeated(tally, present)
    const scale = repeated ? 0.3 : 1
    // a share of rows that are present: where rows are a sample, so are these
    matches = shareOf(counts.format, present, population === null ? null : scaled(population, present, tally))
    if (weights.checksum) add('checksum', weights.checksum, ramp(share(counts.checksum), 2 * chance, 0.5))
    if (weights.dictionary)
      add('dictionary', weights.dictionary * scale, ramp(share(counts.dictionary), 0.5, 0.9))
    if (weights.format) add('format', weights.format * scale, ramp(share(counts.format), 0.3, 0.85))
  }
  const allowed = recognizer === null || present === 0 || evidence.length > 0
  if (name > 0) add('name', NAME_WEIGHT * (allowed ? 1 : CONTRADICTED), name)
  return {
    candidate: { entity: entity.name, label, confidence: 1 - doubt, matches, evidence },
    name,
    allowed,
  }
}

function ramp(share: number, from: number, full: number): number {
  return Math.min(1, Math.max(0, (share - from) / (full - from)))
}

/** A few values, each many times: categories. */
function isRepeated({ distinct }: Tally, present: number): boolean {
  const { value } = distinct.count()
  return value < 30 && present >= 10 * value
}

/** The population of the values that are present, as far as the sample tells. */
function scaled(population: number, present: number, { rows }: Tally): number {
  return rows === 0 ? population : Math.round((population * present) / rows)
}
