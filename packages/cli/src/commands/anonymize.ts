import { dirname, extname, resolve } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { AnonymityReport, AnonymizeConfig, HierarchyTable } from '@sluice/core/anonymize'
import type { FileFormat } from '@sluice/sandbox/io'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import type { MessageKey } from '../messages/en.js'
import type { Ui } from '../output/ui.js'
import type { Act } from '../program.js'
import { example, forceOption } from './options.js'

const CONFIG_BYTES = 1024 * 1024
const HIERARCHY_BYTES = 64 * 1024 * 1024

const ENCODINGS = ['utf-8', 'gbk'] as const

interface Anonymizing {
  readonly config: string
  readonly out: string
  readonly report?: string
  readonly encoding: (typeof ENCODINGS)[number]
  readonly force?: boolean
}

export function addAnonymize(program: Command, act: Act): void {
  example(
    program
      .command('anonymize <file>')
      .description(
        'generalize and suppress until every class meets a model, and report the risk that is left',
      )
      .requiredOption('--config <file>', 'roles of the columns, hierarchies, k and the other criteria')
      .requiredOption('--out <file>', 'where the table goes: .parquet, .csv or .arrow')
      .option('--report <file>', 'write the report there: .html with charts, or .json')
      .addOption(new Option('--encoding <encoding>', 'of a CSV file').choices(ENCODINGS).default('utf-8'))
      .option('--timeout <span>', 'longest time that it may take, such as 5m')
      .option('--memory <amount>', 'most memory that the engine may use, such as 4GB')
      .addOption(forceOption())
      .action(
        act<Anonymizing>(async (context, options, file) => {
          const format = formatOf(options.out)
          const force = options.force === true
          const { assertNotRead } = await import('../output/file.js')
          const read = [file, options.config].map(path => context.path(path))
          await assertNotRead(context.path(options.out), read)
          if (options.report !== undefined) {
            await assertNotRead(context.path(options.report), read)
            await requireReport(context, options.report, force)
          }
          const text = await context.source(options.config, CONFIG_BYTES)
          const [{ parseAnonymizeConfig }, { anonymizeFile }] = await Promise.all([
            import('@sluice/core/anonymize'),
            import('@sluice/sandbox/io'),
          ])
          const config = parseAnonymizeConfig(text, { source: options.config })
          const beside = (path: string) => resolve(dirname(context.path(options.config)), path)
          const { timeout, memory } = context.settings
          const report = await anonymizeFile({
            from: context.path(file),
            to: context.path(options.out),
            format,
            encoding: options.encoding,
            force,
            config,
            hierarchies: await hierarchiesOf(context, config, beside),
            population: config.populationFile === null ? null : beside(config.populationFile),
            signal: context.signal,
            onProgress: context.progress.report,
            ...(memory !== undefined && { memoryBytes: memory }),
            ...(timeout !== undefined && { milliseconds: timeout }),
          })
          if (options.report !== undefined) await writeReport(context, report, options.report, force)
          return { json: report, text: ui => reportText(report, ui, options) }
        }),
      ),
    'sluice anonymize patients.csv --config anonymize.yaml --out anonymous.csv --report report.html',
  )
}

function formatOf(out: string): FileFormat {
  switch (extname(out).toLowerCase()) {
    case '.csv':
      return 'csv'
    case '.parquet':
      return 'parquet'
    case '.arrow':
      return 'arrow'
    default:
      throw new SluiceError('USAGE', 'the table is written as its file’s name ends', {
        remedy: 'Name a file that ends in .parquet, .csv or .arrow.',
      })
  }
}

/** Before any work: a table whose report could not be written would stand there without one. */
async function requireReport(context: Context, to: string, force: boolean): Promise<void> {
  reportFormatOf(to)
  const { assertFree } = await import('../output/file.js')
  if (!force) await assertFree(context.path(to))
}

function reportFormatOf(path: string): 'html' | 'json' {
  const extension = extname(path).toLowerCase()
  if (extension === '.html' || extension === '.htm') return 'html'
  if (extension === '.json') return 'json'
  throw new SluiceError('USAGE', 'the report is written as HTML or JSON, by the name of its file', {
    remedy: 'Name a file that ends in .html or .json.',
  })
}

/** The hierarchies that the configuration names, which lie beside it. */
async function hierarchiesOf(
  context: Context,
  config: AnonymizeConfig,
  beside: (path: string) => string,
): Promise<ReadonlyMap<string, HierarchyTable>> {
  const { parseHierarchy } = await import('@sluice/core/anonymize')
  const { readText } = await import('../input.js')
  const tables = new Map<string, HierarchyTable>()
  for (const [name, { hierarchy }] of Object.entries(config.columns)) {
    if (hierarchy === null || !('file' in hierarchy)) continue
    tables.set(name, parseHierarchy(await readText(beside(hierarchy.file), HIERARCHY_BYTES), hierarchy.file))
    context.signal.throwIfAborted()
  }
  return tables
}

async function writeReport(
  context: Context,
  report: AnonymityReport,
  to: string,
  force: boolean,
): Promise<void> {
  const [{ reportHtml }, { writeFile }, { jsonText }] = await Promise.all([
    import('@sluice/core/anonymize'),
    import('../output/file.js'),
    import('../output/reply.js'),
  ])
  const text =
    reportFormatOf(to) === 'html' ? reportHtml(report, context.ui.language) : `${jsonText(report)}\n`
  await writeFile(context.path(to), new TextEncoder().encode(text), force)
}

function reportText(report: AnonymityReport, ui: Ui, { out, report: page }: Anonymizing): string {
  const { classes, risk, output, input, columns } = report
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(share * 100).toFixed(2)} %`)
  const rows: [MessageKey, string, string][] = [
    ['label.rows', String(input.rows), String(output.rows)],
    ['label.classes', String(classes.before.count), String(classes.after.count)],
    ['label.smallestClass', String(classes.before.smallest), String(classes.after.smallest)],
    ['label.highestRisk', percent(risk.before?.prosecutor.highest), percent(risk.after?.prosecutor.highest)],
    ['label.averageRisk', percent(risk.before?.prosecutor.average), percent(risk.after?.prosecutor.average)],
    ['label.sampleUnique', percent(risk.before?.sampleUnique), percent(risk.after?.sampleUnique)],
  ]
  const grid = ui.grid(
    [
      { head: '' },
      { head: ui.t('label.before'), align: 'right' },
      { head: ui.t('label.after'), align: 'right' },
    ],
    rows.map(([key, before, after]) => [ui.t(key), before, after]),
  )
  const fields = ui.fields([
    [
      'label.levels',
      columns
        .filter(({ level }) => level !== null)
        .map(({ name, level, levels }) => `${visibleText(name)} ${level}/${levels}`),
    ],
    ['label.suppressed', output.suppressed],
    ['label.informationLost', percent(report.utility.nonUniformEntropy.share)],
    ['label.fingerprint', output.fingerprint],
    ['label.file', out],
    ['label.report', page ?? null],
  ])
  return [ui.t('text.anonymized'), '', grid, '', fields].join('\n')
}
