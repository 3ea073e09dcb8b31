import { type Position, SluiceError } from '@sluice/core'
import { type ParameterSchema, type Plan, type PositionOf, validatePlan } from '@sluice/core/plan'
import type { IsolationMode } from '../isolation/mode.js'
import { checkBound } from './bind.js'
import { type Catalogue, type CatalogueTable, readCatalogue } from './catalogue.js'
import { emitPlan } from './emit/plan.js'
import { ParserProcess } from './parser/process.js'
import type { Request } from './parser/protocol.js'
import { checkText } from './parser/text.js'
import { parseNumbersAsText } from './syntax/json.js'
import { translate } from './translate/translate.js'

export interface GateOptions {
  /** longest time that the engine may take over one text, in milliseconds; 5000 if not given */
  readonly timeout?: number
  /** ceiling of the child's data segment, in bytes; 768 MiB if not given */
  readonly memoryBytes?: number
  /** runs the child under this isolation even where a stronger one works; else the strongest that works */
  readonly mode?: IsolationMode
  /** the least isolation that is accepted */
  readonly minimum?: IsolationMode
}

export interface CompileInput {
  /** the consumer's query */
  readonly sql: string
  /** the datasets that the query may name */
  readonly catalogue: readonly CatalogueTable[]
  /** the parameters that the request declares; the query has to use each */
  readonly parameters?: readonly ParameterSchema[]
  readonly signal?: AbortSignal
}

/** A query that the gate understood. */
export interface Compiled {
  readonly plan: Plan
  /** SQL of the plan, as it would run; approvers see it beside the original */
  readonly emitted: string
  readonly original: string
  /** where the parts of this very plan stand in the original, for a refusal that comes later than the gate's own */
  readonly positionOf: PositionOf
}

const TIMEOUT = 5_000
const START_TIMEOUT = 30_000
const MEMORY_BYTES = 768 * 1024 ** 2

/**
 * The gate: SQL text in, closed plan out. Untrusted text reaches the engine's parser in a child process, kept apart like
 * those that run plans, and nothing else; what is emitted from the plan is bound once more, on tables without rows, and must mean the plan.
 *
 * One gate serves any number of queries, one after the other. An idle gate does not keep the program alive.
 */
export class Gate {
  readonly #process: ParserProcess
  #catalogue: { readonly tables: readonly CatalogueTable[]; readonly read: Catalogue } | null = null

  private constructor(process: ParserProcess) {
    this.#process = process
  }

  /**
   * Starts the child, so that the first query does not wait for it.
   *
   * @throws SluiceError ENGINE_VERSION, ENGINE_FAILED, ENGINE_KILLED; ISOLATION_MISSING where the machine gives less than
   *   the minimum
   */
  static async start(options: GateOptions = {}): Promise<Gate> {
    const { timeout = TIMEOUT, memoryBytes = MEMORY_BYTES, mode, minimum } = options
    const process = new ParserProcess({ timeout, startTimeout: START_TIMEOUT, memoryBytes, mode, minimum })
    await process.warm()
    return new Gate(process)
  }

  /**
   * Understands a query and binds it.
   *
   * @throws SluiceError SQL_SYNTAX, SQL_REFUSED (with position, rule and remedy), NAME_UNKNOWN, PARAMETER_INVALID;
   * SCHEMA_INVALID where the catalogue is wrong; TIME_EXCEEDED, ENGINE_KILLED, INTERRUPTED; INTERNAL `bind.…` where
   * the engine's understanding differs from the plan
   */
  async compile({ sql, catalogue, parameters = [], signal }: CompileInput): Promise<Compiled> {
    const bytes = checkText(sql)
    const read = this.#read(catalogue)
    const syntax = parseNumbersAsText(await this.#ask({ kind: 'serialize', text: sql }, signal))
    const { plan, positionOf } = translate({ syntax, bytes, catalogue: read, parameters })
    validatePlan(plan)
    const emitted = await this.#bind(plan, read, signal, positionOf(plan.root))
    return { plan, emitted, original: sql, positionOf }
  }

  /**
   * Binds a plan and gives its SQL: for a plan that was stored, before it runs.
   *
   * @throws SluiceError as `compile`, what concerns the text of a query apart
   */
  async bind(plan: Plan, catalogue: readonly CatalogueTable[], signal?: AbortSignal): Promise<string> {
    validatePlan(plan)
    return this.#bind(plan, this.#read(catalogue), signal)
  }

  /** How the child is kept apart from the machine. */
  isolation(): Promise<IsolationMode> {
    return this.#process.isolation()
  }

  /** Ends the child. */
  close(): Promise<void> {
    return this.#process.close()
  }

  async #bind(
    plan: Plan,
    { digest, schema }: Catalogue,
    signal: AbortSignal | undefined,
    position?: Position,
  ): Promise<string> {
    const text = emitPlan(plan)
    const request = { kind: 'bind', text, catalogue: digest } as const
    const known = await this.#process.ask(request, signal)
    const json =
      known.kind === 'unknown-catalogue' ? await this.#ask({ ...request, schema }, signal) : jsonOf(known)
    checkBound(json, plan, position)
    return text
  }

  async #ask(request: Request, signal: AbortSignal | undefined): Promise<string> {
    return jsonOf(await this.#process.ask(request, signal))
  }

  /** The catalogue rarely changes between queries. */
  #read(tables: readonly CatalogueTable[]): Catalogue {
    if (this.#catalogue?.tables !== tables) this.#catalogue = { tables, read: readCatalogue(tables) }
    return this.#catalogue.read
  }
}

function jsonOf(response: Awaited<ReturnType<ParserProcess['ask']>>): string {
  if (response.kind === 'json') return response.json
  throw new SluiceError('ENGINE_FAILED', 'the process that parses queries failed', {
    rule: 'sql.engine',
    remedy: 'Try a simpler query.',
    ...(response.kind === 'failed' && { cause: response.message }),
  })
}
