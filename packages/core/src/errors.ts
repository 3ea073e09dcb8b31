/**
 * Every way in which Sluice refuses or fails, with the exit code of the command line that goes with it:
 * 1 our fault, 2 usage, 3 refused by policy or disclosure, 4 not approved, 5 integrity failure, 6 bad input or
 * environment, 7 try again later, 130 interrupted.
 */
export const ERROR_CODES = {
  INTERNAL: 1,

  USAGE: 2,

  POLICY_DENIED: 3,
  SQL_REFUSED: 3,
  DISCLOSURE_REFUSED: 3,
  EVIDENCE_UNDEFINED: 3,
  ANONYMITY_UNREACHABLE: 3,
  GRADE_DENIED: 3,
  PURPOSE_DENIED: 3,
  CONSUMER_DENIED: 3,

  NOT_APPROVED: 4,
  APPROVAL_EXPIRED: 4,
  APPROVAL_REVOKED: 4,
  APPROVAL_EXHAUSTED: 4,
  APPROVAL_MISMATCH: 4,
  APPROVAL_DUPLICATE: 4,
  JOB_MISMATCH: 4,
  SELF_APPROVAL: 4,
  ROLE_DENIED: 4,
  STATE_DENIED: 4,

  SIGNATURE_INVALID: 5,
  KEY_UNKNOWN: 5,
  LEDGER_CORRUPT: 5,
  LEDGER_ROLLED_BACK: 5,
  LEDGER_FORKED: 5,
  CHECKPOINT_INVALID: 5,
  PROOF_INVALID: 5,
  FINGERPRINT_MISMATCH: 5,
  CLOCK_BEHIND: 5,
  BRAND_INVALID: 5,
  PEER_UNTRUSTED: 5,
  PROTOCOL_VIOLATION: 5,

  POLICY_INVALID: 6,
  RULE_INVALID: 6,
  CATALOGUE_INVALID: 6,
  PARAMETER_INVALID: 6,
  SQL_SYNTAX: 6,
  NAME_UNKNOWN: 6,
  NAME_TAKEN: 6,
  FILE_MISSING: 6,
  FILE_FORMAT: 6,
  FILE_TOO_LARGE: 6,
  SCHEMA_CHANGED: 6,
  SCHEMA_INVALID: 6,
  CONFIG_INVALID: 6,
  HIERARCHY_INVALID: 6,
  KEY_INVALID: 6,
  KEY_PERMISSIONS: 6,
  PASSPHRASE_WRONG: 6,
  PASSPHRASE_MISSING: 6,
  ZONE_MISSING: 6,
  ZONE_DAMAGED: 6,
  ZONE_VERSION: 6,
  ENTRY_TOO_LARGE: 6,
  RESULT_TOO_LARGE: 6,
  RESULT_ERASED: 6,
  DISK_FULL: 6,
  EXISTS: 6,
  ISOLATION_MISSING: 6,
  ENGINE_VERSION: 6,
  ENGINE_FAILED: 6,
  ENGINE_KILLED: 6,
  MEMORY_EXCEEDED: 6,
  TIME_EXCEEDED: 6,
  TRAFFIC_EXCEEDED: 6,
  JOB_INVALID: 6,
  ADDRESS_UNAVAILABLE: 6,

  LOCKED: 7,
  PEER_AWAY: 7,
  PEER_LOST: 7,
  PEER_STOPPED: 7,

  INTERRUPTED: 130,
} as const satisfies Record<string, number>

export type ErrorCode = keyof typeof ERROR_CODES

/** Where in a text something is wrong: lines and columns count from 1, columns in characters (code points). */
export interface Position {
  readonly line: number
  readonly column: number
  /** the file or the part of a request that the position is in */
  readonly source?: string
}

export interface ErrorDetails {
  readonly position?: Position
  /** the rule that decided, as the documentation names it, such as `dominance` or `use.group` */
  readonly rule?: string
  /** what the reader can do about it */
  readonly remedy?: string
  /** names and numbers for machines; never a value of the data and never a key */
  readonly facts?: Readonly<Record<string, string | number | boolean | readonly string[]>>
  readonly cause?: unknown
}

const ERROR_MARK = Symbol.for('sluice.error')

/**
 * The one error class of Sluice. Tell errors apart by `code`, never by `instanceof`: two copies of this package
 * may be loaded. A message, a rule, a remedy and facts name columns, datasets and rules; they never carry a value
 * of the data or a key. `cause` is for debuggers and is never printed or recorded.
 */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  readonly position: Position | undefined
  readonly rule: string | undefined
  readonly remedy: string | undefined
  readonly facts: ErrorDetails['facts']
  readonly [ERROR_MARK] = true

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.position = details.position
    this.rule = details.rule
    this.remedy = details.remedy
    this.facts = details.facts
  }

  get exitCode(): number {
    return ERROR_CODES[this.code]
  }

  /** What machines get; `cause` and the stack stay behind. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      ...(this.rule !== undefined && { rule: this.rule }),
      ...(this.position !== undefined && { position: this.position }),
      ...(this.remedy !== undefined && { remedy: this.remedy }),
      ...(this.facts !== undefined && { facts: this.facts }),
    }
  }
}

export function isSluiceError(value: unknown): value is SluiceError {
  return value instanceof Error && (value as { [ERROR_MARK]?: unknown })[ERROR_MARK] === true
}

/** For the `default` of an exhaustive switch: a new member of a union that is not handled fails to compile here. */
export function unreachable(value: never): never {
  const kind = (value as { kind?: unknown } | null)?.kind
  throw new SluiceError('INTERNAL', `unhandled case${typeof kind === 'string' ? ` "${kind}"` : ''}`)
}
