import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'

/** One command of the demonstration, and what it said. */
export interface Step {
  readonly command: string
  readonly said: string
}

/**
 * A bureau and a bank find the companies that both know, each a process with a key and files of its own, over mutual
 * TLS on this machine. Codes are written in several ways, as they are in files; the folder is removed again.
 *
 * @param program path of the `sluice` program
 * @param language in which its commands speak
 */
export async function demonstrate(
  program: string,
  language: string,
  onStep: (step: Step) => void,
  signal: AbortSignal,
): Promise<{ readonly matched: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-psi-demo-'))
  const sluice = async (words: string): Promise<void> => {
    onStep({
      command: `sluice ${words}`,
      said: await output(program, [...words.split(' '), '--lang', language], folder, signal),
    })
  }
  try {
    await writeFile(join(folder, 'bureau.csv'), csv('code,tax', BUREAU))
    await writeFile(join(folder, 'bank.csv'), csv('code,loan', BANK))
    await writeFile(join(folder, 'draft.yaml'), await draft(folder))
    await sluice('psi init draft.yaml --out shared.json')
    for (const name of PARTIES) {
      await sluice(`psi approve shared.json --as ${name} --input ${name}.csv --key code --yes`)
    }
    const common = (name: string) => `psi run shared.json --as ${name} --input ${name}.csv --key code`
    await Promise.all([sluice(common('bureau')), sluice(`${common('bank')} --out matched.csv`)])
    return { matched: await readFile(join(folder, 'matched.csv'), 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const PARTIES = ['bureau', 'bank']
const BUREAU = [
  '91110108MA001A2B3C,120000.00',
  '91310115MA1K4X5Y6Z,88000.50',
  '91440300MA5D7E8F9G,4300.00',
  '91330106MA2H3J4K5L,950.25',
  '91510104MA6M7N8P9Q,23000.00',
]
/** the same codes in small letters, in full width, with a space */
const BANK = [
  '91310115ma1k4x5y6z,2000000',
  '９１４４０３００ＭＡ５Ｄ７Ｅ８Ｆ９Ｇ,350000',
  ' 91510104MA6M7N8P9Q,780000',
  '91120118MA7R8T9U1W,60000',
]

function csv(head: string, rows: readonly string[]): string {
  return `${[head, ...rows].join('\n')}\n`
}

async function draft(folder: string): Promise<string> {
  const [{ KeyFile }, { reservePort }] = await Promise.all([
    import('@sluice/ledger/keys'),
    import('@sluice/mpc'),
  ])
  const parties = await Promise.all(
    PARTIES.map(async name => {
      const { publicKey } = await KeyFile.generate(join(folder, `${name}.key`), { name })
      return `  - {name: ${name}, key: "${publicKey}", host: 127.0.0.1, port: ${await reservePort()}}`
    }),
  )
  return `purpose: companies that the bureau and the bank both know
parties:
${parties.join('\n')}
protocol: ecdh
key: [{name: code, normalize: [width, trim, case]}]
size: {floor: 1, ceiling: 1000, step: 10}
receivers: [{name: bank, learns: which}]
payload: []
minimumIntersection: 2
quota: {runs: 1, lifetimeItems: 1000}
seconds: 60
`
}

function output(
  program: string,
  words: readonly string[],
  cwd: string,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    // each party has its key beside the job: one that the caller works with is not meant
    const { SLUICE_KEY_FILE: _, ...env } = process.env
    const child = spawn(process.execPath, [program, ...words], {
      cwd,
      env,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      out += String(chunk)
    })
    child.stderr.on('data', chunk => {
      err += String(chunk)
    })
    child.once('error', cause =>
      reject(
        new SluiceError(signal.aborted ? 'INTERRUPTED' : 'INTERNAL', 'the demonstration did not run', {
          cause,
        }),
      ),
    )
    child.once('close', code => {
      if (code === 0) resolve(out)
      else
        reject(new SluiceError('INTERNAL', 'a step of the demonstration failed', { cause: new Error(err) }))
    })
  })
}
