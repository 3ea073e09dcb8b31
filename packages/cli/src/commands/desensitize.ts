import { basename, dirname, extname } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { FileFormat } from '@sluice/sandbox/io'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { assertNotRead } from '../output/file.js'
import type { Act } from '../program.js'
import { besidePolicy, type ENCODINGS, encodingOption, example, forceOption, repeated } from './options.js'

const POLICY_BYTES = 256 * 1024

interface Desensitizing {
  readonly policy: string
  readonly out: string
  readonly forZone?: boolean
  readonly name?: string
  readonly secret?: readonly string[]
  readonly encoding?: (typeof ENCODINGS)[number]
  readonly force?: boolean
}

export function addDesensitize(program: Command, act: Act): void {
  example(
    program
      .command('desensitize <file>')
      .description('apply a policy’s rules to a Parquet, CSV or Arrow file (脱敏); needs no zone')
      .requiredOption('--policy <file>', 'the policy whose columns carry the rules')
      .requiredOption('--out <file>', 'where the result goes: .parquet, .csv or .arrow, else as the file is')
      .option(
        '--for-zone',
        'the result enters a zone under this policy: apply the rules that its scans cannot, and leave the rest to them',
      )
      .option(
        '--name <dataset>',
        'the dataset’s name, to which encrypted cells are bound (default: the file’s)',
      )
      .addOption(
        repeated(
          '--secret <name=file>',
          'a secret that keyed rules name, and its file; may stand several times',
        ),
      )
      .addOption(encodingOption())
      .addOption(forceOption())
      .action(
        act<Desensitizing>(async (context, options, file) => {
          const [
            { parsePolicy, rulesOf, treatmentsOf },
            { lookedUp },
            { desensitizeFile, readTables },
            { desensitizedText },
          ] = await Promise.all([
            import('@sluice/core/policy'),
            import('@sluice/core/desensitize'),
            import('@sluice/sandbox/desensitize'),
            import('../output/desensitize.js'),
          ])
          const policy = parsePolicy(await context.source(options.policy, POLICY_BYTES), {
            source: options.policy,
          })
          const treatments = treatmentsOf(policy, options.forZone === true ? 'zone' : 'outside')
          const rules = [...treatments.values()].filter(treatment => treatment !== 'keep')
          const to = context.path(options.out)
          const format = formatOf(options.out)
          const pathOf = besidePolicy(context, options.policy)
          const names = rules.flatMap(rule => lookedUp(rule)?.table ?? [])
          const tables = new Map(names.map(name => [name, pathOf(name)]))
          const secrets = secretFiles(options.secret ?? [], context)
          const read = [file, options.policy].map(path => context.path(path))
          await assertNotRead(to, [...read, ...tables.values(), ...secrets.values()])
          const done = await desensitizeFile({
            from: context.path(file),
            to,
            treatments,
            dataset: options.name ?? basename(file, extname(file)),
            key: await openSecrets(secrets),
            table: await readTables(tables, {
              staging: dirname(to),
              signal: context.signal,
            }),
            ...(options.forZone === true && { forZone: true, scanRules: rulesOf(policy) }),
            ...(format !== null && { format }),
            ...(options.encoding !== undefined && { encoding: options.encoding }),
            ...(options.force === true && { force: true }),
            signal: context.signal,
            onProgress: context.progress.report,
          })
          const { path, format: written, rows, report, dropped, statement } = done
          return {
            json: {
              file: path,
              format: written,
              rows,
              columns: report,
              dropped,
              ...(statement !== undefined && { statement }),
            },
            text: ui => desensitizedText(done, options.out, ui),
          }
        }),
      ),
    'sluice desensitize persons.csv --policy persons.policy.yaml --out persons.parquet',
  )
}

function formatOf(path: string): FileFormat | null {
  const known: Readonly<Record<string, FileFormat>> = {
    '.parquet': 'parquet',
    '.csv': 'csv',
    '.arrow': 'arrow',
  }
  return known[extname(path).toLowerCase()] ?? null
}

/** The files of the secrets that were given, each under the name that rules use. */
function secretFiles(given: readonly string[], context: Context): Map<string, string> {
  const files = new Map<string, string>()
  for (const text of given) {
    const [, name, file] = /^([a-z][a-z0-9_-]*)=(.+)$/.exec(text) ?? []
    if (name === undefined || file === undefined || files.has(name)) {
      throw new SluiceError('USAGE', 'a secret is given as NAME=FILE, each name once', {
        remedy: 'Write --secret tax=tax.secret, with the name that the policy’s rules use.',
      })
    }
    files.set(name, context.path(file))
  }
  return files
}

async function openSecrets(files: ReadonlyMap<string, string>): Promise<(name: string) => Uint8Array> {
  const { SecretFile } = await import('@sluice/ledger/keys')
  const secrets = new Map<string, Uint8Array>()
  for (const [name, file] of files) secrets.set(name, (await SecretFile.open(file)).secret)
  return name => {
    const secret = secrets.get(name)
    if (secret !== undefined) return secret
    throw new SluiceError('KEY_INVALID', `a rule needs the key "${name}", and none of that name was given`, {
      rule: 'rule.key',
      remedy: `Add --secret ${name}=FILE; \`sluice key new FILE --for desensitize\` makes one.`,
    })
  }
}
