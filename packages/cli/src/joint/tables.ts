import { dirname } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { Signer } from '@sluice/ledger/keys'
import type { InputForm, InputSource, JointInput, JointJob } from '@sluice/mpc'
import type { Encoding, TableFile } from '@sluice/sandbox/io'
import type { Table } from 'apache-arrow'
import type { Context } from '../context.js'

/** A table of no more rows is put in the order of its entities in memory; a larger one has to be in it. */
const SORTED_HERE = 2_000_000

/**
 * Opens Parquet, Arrow or CSV files for a party's inputs, for as long as `use` takes: rows come batch by batch, of a
 * CSV file all as text.
 *
 * @param encoding of text files; UTF-8 where absent
 * @throws SluiceError as `readTable` does; NAME_UNKNOWN where a column is missing
 */
export async function withTables<T>(
  context: Context,
  files: ReadonlyMap<string, string>,
  forms: readonly InputForm[],
  use: (sources: Record<string, InputSource>) => Promise<T>,
  encoding?: Encoding,
  opened: Record<string, InputSource> = {},
): Promise<T> {
  const [form, ...others] = forms
  if (form === undefined) return use(opened)
  const { readTable } = await import('@sluice/sandbox/io')
  const path = context.path(files.get(form.name)!)
  const options = { staging: dirname(path), signal: context.signal, ...(encoding && { encoding }) }
  return readTable(path, options, async table => {
    const source = await sourceOf(table, form, files.get(form.name)!)
    return withTables(context, files, others, use, encoding, { ...opened, [form.name]: source })
  })
}

/**
 * A table as the other parties of a job see it.
 *
 * @throws SluiceError as `withTables` and `examine` do
 */
export async function described(
  context: Context,
  form: InputForm,
  file: string,
  owner: Signer,
  encoding?: Encoding,
): Promise<JointInput> {
  const { examine, fingerprintKey } = await import('@sluice/mpc')
  const key = await fingerprintKey(owner)
  const files = new Map([[form.name, file]])
  const seen = async (sources: Record<string, InputSource>) => {
    const { rows, fingerprint } = await examine(sources[form.name]!, form, key)
    return { ...form, rows, fingerprint }
  }
  return withTables(context, files, [form], seen, encoding)
}

/**
 * Which file is which input: `--input FILE` where the party gives one, `--input NAME=FILE` for each where it gives more.
 *
 * @throws SluiceError USAGE
 */
export function filesFor(
  job: JointJob,
  party: string,
  given: readonly string[] = [],
): ReadonlyMap<string, string> {
  const own = job.inputs.filter(({ owner }) => owner === party).map(({ name }) => name)
  const files = new Map<string, string>()
  for (const text of given) {
    const [, name, file] = /^([a-z][a-z0-9_]*)=(.+)$/s.exec(text) ?? []
    if (name !== undefined && own.includes(name)) files.set(name, file!)
    else if (own.length === 1 && given.length === 1) files.set(own[0]!, text)
    else
      throw new SluiceError('USAGE', `"${visibleText(text)}" is for none of this party’s inputs`, {
        remedy: 'Write --input NAME=FILE, with the name that the job has for it.',
      })
  }
  const missing = own.filter(name => !files.has(name))
  if (missing.length === 0) return files
  throw new SluiceError('USAGE', `this party gives ${missing.map(name => `"${name}"`).join(', ')}`, {
    remedy: 'Name the file with --input FILE, or --input NAME=FILE where there are several.',
  })
}

async function sourceOf(table: TableFile, form: InputForm, file: string): Promise<InputSource> {
  const select = [...new Set([form.entity, ...form.columns.map(({ name }) => name)])]
  const names = table.columns.map(({ name }) => name)
  for (const wanted of select) if (!names.includes(wanted)) throw missing(file, wanted)
  const batches = () => table.batches(select, new Set(select))
  if (table.rows === 0 || table.rows > SORTED_HERE) return batches
  const { inOrder } = await import('@sluice/mpc')
  const all: Table[] = []
  for await (const batch of batches()) all.push(batch)
  return inOrder(all[0]!.concat(...all.slice(1)), form)
}

function missing(file: string, name: string): SluiceError {
  return new SluiceError('NAME_UNKNOWN', `${file} has no column "${name}"`, {
    rule: 'job.columns',
    remedy: 'Give the columns that the job names, by these names.',
  })
}
