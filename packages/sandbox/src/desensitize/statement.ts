import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { canonicalDigest, SluiceError, visibleText } from '@sluice/core'
import { type Rule, scanRule, type Treatment } from '@sluice/core/desensitize'
import type { Policy } from '@sluice/core/policy'
import { z } from 'zod'

/**
 * What `sluice desensitize --for-zone` states beside the file that it writes: which rules it applied to what. It guards
 * against mistakes (the raw file, an older one, another policy), not against a provider who lies: whoever can write the
 * file can write this.
 */
const statementForm = z.strictObject({
  format: z.literal('sluice-desensitized/1'),
  dataset: z.string().max(256),
  /** SHA-256 of the file beside it, hexadecimal */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** SHA-256 of the applied rules' canonical form, by column */
  rules: z.record(z.string().max(256), z.string().regex(/^[0-9a-f]{64}$/)),
})

const MOST_BYTES = 1 << 20

/** Where the statement on a file lies. */
export function statementPath(file: string): string {
  return `${file}.desensitized.json`
}

/** Writes the statement on a file that was desensitized for a zone, over that on an earlier one. */
export async function writeStatement(
  file: string,
  dataset: string,
  treatments: ReadonlyMap<string, Treatment>,
  signal?: AbortSignal,
): Promise<string> {
  const statement: z.infer<typeof statementForm> = {
    format: 'sluice-desensitized/1',
    dataset,
    sha256: await sha256Of(file, signal),
    rules: Object.fromEntries(
      [...treatments].flatMap(([name, treatment]) =>
        treatment === 'keep' || treatment.kind === 'drop'
          ? []
          : [[name, canonicalDigest(treatment as never)]],
      ),
    ),
  }
  const path = statementPath(file)
  const out = await open(path, 'w', 0o600)
  try {
    await out.writeFile(`${JSON.stringify(statement, null, 2)}\n`)
    await out.sync()
  } finally {
    await out.close()
  }
  return path
}

/** Rules of a policy that have to be applied before a file enters a zone, by column. Dropped columns are not there. */
export function rulesBefore(policy: Policy): Map<string, Rule> {
  return new Map(
    Object.entries(policy.columns).flatMap(([name, { rule }]) =>
      rule === undefined || rule.kind === 'drop' || scanRule(rule) !== null ? [] : [[name, rule] as const],
    ),
  )
}

/**
 * Does the statement beside the file say that these rules were applied to it?
 *
 * @throws SluiceError FILE_MISSING, FILE_FORMAT, FINGERPRINT_MISMATCH, POLICY_INVALID with the column
 */
export async function assertStated(
  file: string,
  rules: ReadonlyMap<string, Rule>,
  signal?: AbortSignal,
): Promise<void> {
  const statement = await readStatement(statementPath(file))
  if (statement.sha256 !== (await sha256Of(file, signal))) {
    throw new SluiceError('FINGERPRINT_MISMATCH', 'the statement beside the file is on another file', {
      rule: 'desensitized.file',
      remedy: REMEDY,
    })
  }
  assertSameRules(rules, name => statement.rules[name])
}

/** @throws SluiceError POLICY_INVALID with the column whose rule is another than was applied */
export function assertSameRules(
  rules: ReadonlyMap<string, Rule>,
  appliedTo: (column: string) => string | undefined,
): void {
  for (const [name, rule] of rules) {
    if (appliedTo(name) === canonicalDigest(rule as never)) continue
    throw new SluiceError(
      'POLICY_INVALID',
      `the rule ${rule.kind} of the column "${visibleText(name)}" is not stated to have been applied`,
      { rule: `columns.${visibleText(name)}.rule`, remedy: REMEDY },
    )
  }
}

const REMEDY =
  'Register the file that `sluice desensitize --for-zone` writes with this policy, its statement beside it; or say --unstated, which the ledger records.'

async function readStatement(path: string): Promise<z.infer<typeof statementForm>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SluiceError(
      'FILE_MISSING',
      'the policy has rules that are applied before a file enters, and nothing states that they were',
      { rule: 'desensitized.statement', remedy: REMEDY, cause },
    )
  })
  const parsed = text.length > MOST_BYTES ? null : statementForm.safeParse(jsonOf(text))
  if (parsed?.success) return parsed.data
  throw new SluiceError(
    'FILE_FORMAT',
    'what lies beside the file is no statement of what was applied to it',
    {
      rule: 'desensitized.statement',
      remedy: REMEDY,
    },
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function sha256Of(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {})
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new SluiceError('FILE_MISSING', `${path}: there is no such file, or it may not be read`, {
      remedy: 'Check the path.',
      cause,
    })
  }
  return hash.digest('hex')
}
