import { createRequire } from 'node:module'
import type { SEALLibrary } from 'node-seal/implementation/seal.js'
import { SluiceError } from '../errors.js'

/** Something of SEAL's: it lies in the memory of the WebAssembly module, which no garbage collector sees. */
interface Deletable {
  delete(): void
}

/**
 * Owns every SEAL object that is made in it, and deletes them, last made first, when it closes. No other file of this
 * package calls `delete`.
 */
export class Scope {
  readonly #owned: Deletable[] = []

  own<T extends Deletable>(object: T): T {
    this.#owned.push(object)
    return object
  }

  close(): void {
    for (let object = this.#owned.pop(); object !== undefined; object = this.#owned.pop()) object.delete()
  }
}

/** Runs the work with a scope of its own. What is to outlive it is copied out as bytes. */
export function scoped<T>(work: (scope: Scope) => T): T {
  const scope = new Scope()
  try {
    return work(scope)
  } finally {
    scope.close()
  }
}

export type Seal = SEALLibrary

/** The version whose parameters, serialization and primes this code was written for. */
export const SEAL_VERSION = '6.0.3'

let loading: Promise<Seal> | undefined

/** @throws SluiceError ENGINE_VERSION where node-seal is not installed, or is another version */
export function loadSeal(): Promise<Seal> {
  loading ??= load().catch(error => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<Seal> {
  let make: () => Promise<Seal>
  try {
    // required, not imported: an import first searches a megabyte of WebAssembly in base64 for exports, 0.07 s a thread
    make = createRequire(import.meta.url)('node-seal') as typeof make
  } catch (cause) {
    throw new SluiceError('ENGINE_VERSION', 'node-seal is not installed', {
      rule: 'he.library',
      remedy: `Run npm install node-seal@${SEAL_VERSION}.`,
      cause,
    })
  }
  const seal = await make()
  if (seal.Version === SEAL_VERSION) return seal
  throw new SluiceError('ENGINE_VERSION', 'another version of node-seal is installed', {
    rule: 'he.library',
    remedy: `Run npm install node-seal@${SEAL_VERSION}.`,
  })
}
