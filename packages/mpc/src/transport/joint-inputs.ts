import { SluiceError } from '@sluice/core'
import { gather } from '@sluice/core/columns'
import type { Table } from 'apache-arrow'
import type { Chunk } from '../job/clear.js'
import type { PreparedColumn } from '../job/columns.js'
import { chunksOf, compareTexts, examine, fingerprintKey, type InputSource } from '../job/input.js'
import { type JointColumn, type JointInput, type JointJob, sharesEntity } from '../job/job.js'
import type { Query } from '../job/query.js'
import type { RunJointOptions } from './joint.js'

/** An input of this party's, checked against the job. */
export interface OwnInput {
  readonly input: JointInput
  readonly source: InputSource
  readonly entities: Uint8Array
}

/** @throws SluiceError FINGERPRINT_MISMATCH, USAGE, NAME_UNKNOWN, SCHEMA_INVALID, PARAMETER_INVALID, INTERRUPTED */
export async function ownInputs(
  job: JointJob,
  { signer, inputs = {}, signal, onEvent }: RunJointOptions,
): Promise<ReadonlyMap<string, OwnInput>> {
  const own = job.inputs.filter(({ owner }) => owner === signer.name)
  const found = new Map<string, OwnInput>()
  if (own.length === 0) return found
  const key = await fingerprintKey(signer)
  for (const input of own) {
    const given = Object.hasOwn(inputs, input.name) ? inputs[input.name] : undefined
    if (given === undefined)
      throw new SluiceError('USAGE', `this party gives the input "${input.name}"`, {
        rule: 'job.inputs',
        remedy: 'Give a table for each input of the job that this party owns.',
      })
    const source = typeof given === 'function' ? given : inOrder(given, input)
    const { rows, fingerprint, entities } = await examine(source, input, key, done => {
      if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the reading was interrupted')
      onEvent?.({ kind: 'reading', input: input.name, rows: done, of: input.rows })
    })
    if (rows !== input.rows || fingerprint !== input.fingerprint)
      throw new SluiceError(
        'FINGERPRINT_MISMATCH',
        `the table for "${input.name}" is not the one of the job`,
        {
          rule: 'job.fingerprint',
          remedy: 'Give the table that was described for the job, or have a new job made for this one.',
        },
      )
    found.set(input.name, { input, source, entities })
  }
  return found
}

/** A whole table as the job wants it: in the order of its entities, unless they are shared. */
export function inOrder(table: Table, form: Pick<JointInput, 'entity' | 'columns'>): Table {
  return sharesEntity(form) ? table : sortedBy(table, form.entity)
}

function sortedBy(table: Table, entity: string): Table {
  const texts = [...(table.getChild(entity) ?? [])].map(String)
  if (texts.every((text, row) => row === 0 || compareTexts(texts[row - 1]!, text) < 0)) return table
  return gather(
    table,
    Uint32Array.from(texts.keys()).sort((a, b) => compareTexts(texts[a]!, texts[b]!)),
  )
}

/** All rows of this party's inputs. */
export async function wholeOf(
  { inputs, rows }: Pick<Query, 'inputs' | 'rows'>,
  own: ReadonlyMap<string, OwnInput>,
): Promise<Chunk | undefined> {
  const mine = inputs.flatMap(({ name }) => own.get(name) ?? [])
  if (mine.length === 0) return undefined
  const chunks: Chunk[] = []
  for (const { input, source } of mine)
    for await (const chunk of chunksOf(source, input, Math.max(1, rows))) chunks.push(chunk)
  return joined(chunks, rows)
}

/** This party's rows, so many at a time; while some are computed with, the next are read. */
export async function* inChunks(
  { inputs, rows: all }: Pick<Query, 'inputs' | 'rows'>,
  size: number,
  own: ReadonlyMap<string, OwnInput>,
): AsyncGenerator<{ readonly rows: number; readonly chunk: Chunk | undefined }> {
  const mine = inputs.flatMap(({ name }) => own.get(name) ?? [])
  const readers = mine.map(({ input, source }) => chunksOf(source, input, Math.min(size, all)))
  const read = () => {
    const next = Promise.all(readers.map(reader => reader.next()))
    // an error of reading is met where the rows are wanted
    next.catch(() => undefined)
    return next
  }
  try {
    let next = read()
    for (let start = 0; start === 0 || start < all; start += size) {
      const rows = Math.min(size, all - start)
      const given = (await next).map(({ done, value }) => (done ? undefined : value))
      next = read()
      yield { rows, chunk: given.length === 0 ? undefined : joined(given, rows) }
    }
  } finally {
    for (const reader of readers) await reader.return(undefined)
  }
}

/** The one row of a model, at its owner. */
export async function modelOf(
  { bins }: Pick<Query, 'bins'>,
  own: ReadonlyMap<string, OwnInput>,
): Promise<Chunk | undefined> {
  const mine = own.get(bins?.model?.input.name ?? '')
  if (mine === undefined) return undefined
  for await (const chunk of chunksOf(mine.source, mine.input, 1)) return joined([chunk], 1)
  return undefined
}

/** This party's inputs side by side. */
function joined(chunks: readonly (Chunk | undefined)[], rows: number): Chunk {
  const columns = new Map<JointColumn, PreparedColumn>()
  for (const chunk of chunks) {
    if (!chunk || chunk.rows !== rows)
      throw new SluiceError('FINGERPRINT_MISMATCH', 'an input changed while it was read', {
        rule: 'job.fingerprint',
        remedy: 'Leave the file as it is until the job has ended.',
      })
    for (const [column, prepared] of chunk.columns) columns.set(column, prepared)
  }
  return { rows, columns }
}
