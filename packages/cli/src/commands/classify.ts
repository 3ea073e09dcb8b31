import { tmpdir } from 'node:os'
import { SluiceError } from '@sluice/core'
import type { Catalogue, Classification } from '@sluice/core/classify'
import type { Encoding } from '@sluice/sandbox/io'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import type { Act } from '../program.js'
import { parseCount } from '../quantities.js'
import { example, forceOption } from './options.js'

/** Rows that are drawn where nobody says how many: shares are within 0.3 % then. */
const SAMPLE_ROWS = 100_000
const CATALOGUE_BYTES = 1024 * 1024

interface Classifying {
  readonly sample?: string
  readonly full?: boolean
  readonly catalogue?: string
  readonly encoding?: Encoding
  readonly policyOut?: string
  readonly owner: string
  readonly force?: boolean
  readonly showCatalogue?: boolean
}

export function addClassify(program: Command, act: Act): void {
  example(
    program
      .command('classify [file]')
      .description('say what each column of a file holds, suggest grades, and draft a policy; needs no zone')
      .addOption(
        new Option(
          '--sample <rows>',
          `how many rows are drawn at random (default: ${SAMPLE_ROWS})`,
        ).conflicts('full'),
      )
      .option('--full', 'look at every row')
      .option('--catalogue <file>', 'what columns can hold and how it is graded (default: GB/T 43697-2024)')
      .addOption(
        new Option('--encoding <encoding>', 'of a CSV file').choices(['utf-8', 'gbk']).default('utf-8'),
      )
      .option('--policy-out <file>', 'write a draft policy there')
      .option('--owner <name>', 'the owner in the draft policy', 'owner')
      .addOption(forceOption())
      .option('--show-catalogue', 'print the catalogue that comes with Sluice, to start one’s own from')
      .action(
        act<Classifying>(async (context, options, file) => {
          if (options.showCatalogue === true) return showCatalogue()
          if (file === undefined) {
            throw new SluiceError('USAGE', 'there is no file to classify', {
              remedy: 'Name a Parquet, CSV or Arrow file.',
            })
          }
          const classification = await classifyFile(context, options, file)
          const draft = await writeDraft(context, options, classification)
          const { classificationText } = await import('../output/classification.js')
          return {
            json: { file: context.path(file), ...classification, ...(draft !== undefined && { draft }) },
            text: ui => classificationText(classification, { file, draft: options.policyOut }, ui),
          }
        }),
      ),
    'sluice classify register.csv --encoding gbk --policy-out register.policy.yaml --owner tax-bureau',
  )
}

async function classifyFile(context: Context, options: Classifying, file: string): Promise<Classification> {
  const [{ classify }, { readTable }, { arrowSchemaOf }] = await Promise.all([
    import('@sluice/core/classify'),
    import('@sluice/sandbox/io'),
    import('@sluice/core/columns'),
  ])
  const catalogue = await catalogueOf(context, options)
  const wanted = options.sample === undefined ? SAMPLE_ROWS : parseCount(options.sample)
  const { signal, progress } = context
  progress.report({ stage: 'read' })
  return readTable(
    context.path(file),
    { staging: tmpdir(), signal, ...(options.encoding !== undefined && { encoding: options.encoding }) },
    async table => {
      const isSample = options.full !== true && wanted < table.rows
      // what a CSV file's fields mean is for the recognizers to say: its text is taken as it stands
      const asText = new Set(table.format === 'csv' ? table.columns.map(column => column.name) : [])
      const schema = arrowSchemaOf(
        table.columns.map(column =>
          asText.has(column.name) ? { ...column, type: { kind: 'text' } } : column,
        ),
      )
      const tables = table.batches(undefined, asText, isSample ? wanted : undefined)
      return classify(schema, batchesOf(tables), {
        signal,
        onProgress: progress.report,
        expectedRows: isSample ? wanted : table.rows,
        types: new Map(table.columns.map(({ name, type }) => [name, type])),
        ...(isSample && { sampledFrom: table.rows }),
        ...(catalogue !== undefined && { catalogue }),
      })
    },
  )
}

async function* batchesOf<T>(tables: AsyncIterable<{ readonly batches: readonly T[] }>): AsyncGenerator<T> {
  for await (const { batches } of tables) yield* batches
}

async function catalogueOf(context: Context, { catalogue }: Classifying): Promise<Catalogue | undefined> {
  if (catalogue === undefined) return undefined
  const { parseCatalogue } = await import('@sluice/core/classify')
  return parseCatalogue(await context.source(catalogue, CATALOGUE_BYTES), { source: catalogue })
}

async function writeDraft(
  context: Context,
  { policyOut, owner, force }: Classifying,
  classification: Classification,
): Promise<string | undefined> {
  if (policyOut === undefined) return undefined
  const [{ draftPolicy }, { parsePolicy }, { writeFile }] = await Promise.all([
    import('@sluice/core/classify'),
    import('@sluice/core/policy'),
    import('../output/file.js'),
  ])
  const text = draftPolicy(classification, { owner })
  // an owner’s name that cannot be one is told now, not when the draft is used
  parsePolicy(text, { source: policyOut })
  const path = context.path(policyOut)
  await writeFile(path, new TextEncoder().encode(text), force === true)
  return path
}

async function showCatalogue() {
  const { catalogueJsonSchema, defaultCatalogueText } = await import('@sluice/core/classify')
  return {
    json: { text: defaultCatalogueText, schema: catalogueJsonSchema() },
    text: () => defaultCatalogueText.trimEnd(),
  }
}
