import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RawResult } from '@sluice/core/disclosure'
import { checkDisclosure } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import * as he from '@sluice/core/he'
import { KeyFile, OpeningKey, parseVerifierKey, verifySignature } from '@sluice/ledger/keys'
import { Int64, Table, Utf8, vectorFromArray } from 'apache-arrow'
import { expect, it, onTestFinished } from 'vitest'
import { approvedFor, begin, PROGRAMMES } from '../../packages/core/test/he/fixture.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const passphrase = 'correct horse'
const verify = (key: string, bytes: Uint8Array, signature: Uint8Array) =>
  verifySignature(parseVerifierKey(key), bytes, signature)

/** The page's three parts as functions of what a program has around them; each gives back what it defines. */
async function partsOf(page: string) {
  const text = await readFile(join(root, 'docs', page), 'utf8')
  const code = /```ts\n([\s\S]*?)```/.exec(text)![1]!
  const parts = code.split(/^\/\/ .*$/m).slice(1)
  expect(parts).toHaveLength(3)
  // imports that the page leaves out, and no others
  const library = { ...he, KeyFile, OpeningKey }
  const run = (part: string, names: readonly string[]) => (around: object) => {
    const scope = { ...library, ...around }
    const body = `return (async () => { ${part}; return { ${names.join(', ')} } })()`
    return new Function(...Object.keys(scope), body)(...Object.values(scope)) as Promise<never>
  }
  return [
    run(parts[0]!, ['signer']),
    run(parts[1]!, ['signed', 'audited']),
    run(parts[2]!, ['release']),
  ] as const
}

it.each(['homomorphic.md', 'homomorphic.zh-CN.md'])('the SDK snippets of %s do what they say', async page => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-page-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const at = (name: string) => join(folder, name)
  const keyOf = (name: string) => KeyFile.generate(at(`${name}.key`), { name, passphrase })
  const party = ({ name, publicKey }: KeyFile) => ({ name, key: publicKey })
  const districts = await Promise.all(['east', 'west', 'north'].map(keyOf))
  const [adder, auditor, operator] = await Promise.all(['adder', 'auditor', 'treasury'].map(keyOf))
  const round = await begin(undefined, {
    contributors: districts.map(party),
    adder: party(adder!),
    auditor: party(auditor!),
    keyHolder: party(operator!),
  })
  await writeFile(at('aggregation.json'), he.aggregationBytes(round.aggregation))
  await writeFile(at('public.key'), round.publicKey)
  await OpeningKey.write(at('secret.key'), round.secretKey, { passphrase })

  const [contributor, adding, opening] = await partsOf(page)
  const { signal } = new AbortController()
  const contributions: he.ByteSource[] = []
  for (const { name } of districts) {
    const sink = new he.MemorySink()
    let reached = 0
    await contributor({
      // the page's own file names, each in its machine's folder
      readFile: (file: string) => readFile(at(file)),
      KeyFile: { open: (_: string, options: object) => KeyFile.open(at(`${name}.key`), options) },
      table: new Table({
        programme_name: vectorFromArray(PROGRAMMES, new Utf8()),
        amount: vectorFromArray([10n, 20n, 30n], new Int64()),
      }),
      passphrase,
      sink,
      signal,
      onProgress: ({ fraction }: { fraction: number }) => {
        reached = fraction
      },
    })
    expect(reached).toBe(1)
    contributions.push(he.memorySource(name, sink.bytes()))
  }
  const sumSink = new he.MemorySink()
  const { aggregation } = round
  // the adder's file, which is there when the auditor opens it
  const sum: he.ByteSource = {
    name: 'sum',
    get size() {
      return sumSink.bytes().length
    },
    read: async (offset, length) => sumSink.bytes().slice(offset, offset + length),
  }
  const added = { aggregation, contributions, adder, auditor, verify, sumSink, sum, signal }
  const { audited } = (await adding(added)) as { audited: Uint8Array }

  const zone = {
    async run(
      _id: string,
      _operator: KeyFile,
      { engine }: { engine: { engine: string; execute: (...given: unknown[]) => Promise<RawResult> } },
    ) {
      expect(engine.engine).toBe('bgv/1')
      const request = he.aggregationBytes(aggregation)
      const raw = await engine.execute(approvedFor(round), request, {})
      return openCheckedResult(await checkDisclosure(raw)).table
    },
  }
  const { release } = (await opening({
    OpeningKey: { open: (file: string, options: object) => OpeningKey.open(at(file), options) },
    passphrase,
    aggregation,
    sum,
    audited,
    verify,
    zone,
    id: 'r-1',
    operator,
  })) as { release: Table }
  expect(release.toArray().map(row => String(row['total']))).toEqual(['30', '60', '90'])
  expect(await readFile(at('secret.key.opened'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
})
