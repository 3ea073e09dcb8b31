import { createRequire } from 'node:module'
import { SluiceError } from '@sluice/core'
import { Command, CommanderError, Option } from 'commander'
import { COMMANDS } from './commands/all.js'
import { Context } from './context.js'
import { earlyLanguage, type Given, readSettings, usesColor } from './environment.js'
import { type Io, write } from './io.js'
import { LANGUAGES, type Language, loadTranslate } from './messages/catalogue.js'
import { PROGRESS_MODES, Progress, type ProgressMode } from './output/progress.js'
import { jsonText, printReply, type Reply } from './output/reply.js'
import { Sources } from './sources.js'

/** What a command does. Its arguments are those that it declared; undefined where it wrote its result itself. */
export type Action<Options> = (
  context: Context,
  options: Options,
  ...words: string[]
) => Promise<Reply | undefined>

/** Turns an action into what commander calls. */
export type Act = <Options = Record<string, never>>(
  action: Action<Options>,
) => (...given: unknown[]) => Promise<void>

interface GlobalFlags extends Given {
  readonly json?: boolean
  readonly progress?: ProgressMode
}

export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  const json = argv.includes('--json')
  const sources = new Sources()
  let language: Language = earlyLanguage(argv, io.env)
  let exitCode = 0
  const act: Act =
    <Options>(action: Action<Options>) =>
    async (...given: unknown[]) => {
      const command = given.at(-1) as Command
      const flags = command.optsWithGlobals<GlobalFlags>()
      const settings = await readSettings(textFlags(flags), io)
      language = settings.language
      // what lays text out is loaded here, so that --help starts fast
      const { Ui } = await import('./output/ui.js')
      const ui = new Ui(language, settings.color)
      const progress = new Progress(io.stderr, flags.progress ?? 'auto')
      const context = new Context({ io, settings, ui, json, progress, sources })
      try {
        io.signal.throwIfAborted()
        const reply = await action(
          context,
          command.opts() as Options,
          ...(command.processedArgs as string[]).flat(),
        )
        progress.end()
        if (reply) await printReply(io, reply, ui, json)
        exitCode = reply?.exitCode ?? 0
      } finally {
        await context.close()
      }
    }
  try {
    const program = buildProgram(act, io)
    if (language === 'zh') {
      const { speakChinese } = await import('./help.js')
      speakChinese(program)
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    const failure = thrown instanceof CommanderError ? usageError(thrown) : thrown
    return printError(failure, { io, json, sources, language })
  }
}

interface Told {
  readonly io: Io
  readonly json: boolean
  readonly sources: Sources
  readonly language: Language
}

async function printError(thrown: unknown, { io, json, sources, language }: Told): Promise<number> {
  const [{ errorText, shownError, stackText }, { Ui }, translate] = await Promise.all([
    import('./errors.js'),
    import('./output/ui.js'),
    loadTranslate(language),
  ])
  const error = shownError(thrown, io.signal)
  const ui = new Ui(language, usesColor(io.stderr, io.env))
  const text = json ? jsonText({ error: error.toJSON() }) : errorText(error, sources, ui, translate)
  await write(json ? io.stdout : io.stderr, `${text}\n`)
  if (io.env['SLUICE_DEBUG'] === '1') await write(io.stderr, `${stackText(thrown)}\n`)
  return error.exitCode
}

/** The tree of commands. It loads nothing that a command needs to run. */
export function buildProgram(act: Act, io?: Pick<Io, 'stdout' | 'stderr'>): Command {
  const program = new Command('sluice')
    .description(
      'The gate of a data zone (数据专区): only approved queries run, only checked results leave, with proof.',
    )
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'show what a command does')
    .helpCommand('help [command]', 'show what a command does')
    .configureHelp({ showGlobalOptions: true })
    .option('--zone <dir>', 'the zone (else SLUICE_ZONE, else the nearest one at or above this directory)')
    .option('--json', 'print one JSON document on stdout and nothing else, errors too')
    .addOption(
      new Option('--lang <language>', 'language of what is printed (else the locale)').choices(LANGUAGES),
    )
    .option('--wait <span>', 'how long to wait for another process that changes the zone (default: 30s)')
    .addOption(new Option('--progress <how>', 'progress on stderr').choices(PROGRESS_MODES).default('auto'))
    .addHelpText('after', ({ command }) => {
      const { styleTitle } = command.createHelp()
      return `\n${styleTitle(EXIT_CODES)}\n\n${styleTitle('Example:')}\n${EXAMPLE}`
    })
    .exitOverride()
    .configureOutput({
      writeOut: text => void io?.stdout.write(text),
      writeErr: text => void io?.stderr.write(text),
      // printed once, with every other error
      outputError: () => undefined,
    })
  for (const add of COMMANDS) add(program, act)
  return program
}

const EXIT_CODES = `Exit codes: 0 done, 1 our fault, 2 usage, 3 refused by policy or disclosure, 4 not approved, 5 integrity failure,
6 bad input or environment, 7 try again later, 130 and 143 interrupted.`
const EXAMPLE = '  $ sluice init zone --operator operator.key --provider owner.key --auditor auditor.key'

function version(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version
}

/** A key is no setting here: a command may take several. */
function textFlags(flags: Given): Given {
  const names = ['zone', 'lang', 'format', 'wait', 'timeout', 'memory'] as const
  return Object.fromEntries(
    names.flatMap(name => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  ) as Given
}

/** Commander's own complaints, in our form: what was wrong, and the nearest thing that exists. */
function usageError(error: CommanderError): SluiceError {
  if (error.code === 'commander.help') {
    return new SluiceError('USAGE', 'this is a group of commands; name one of those above')
  }
  const [, near] = /\(Did you mean (?:one of )?(.+?)\?\)/.exec(error.message) ?? []
  const text = error.message.replace(/^error: /, '').replace(/\n?\(Did you mean.*$/s, '')
  return new SluiceError('USAGE', text, {
    remedy: near ? `Did you mean ${near}?` : 'See --help of the command.',
  })
}
