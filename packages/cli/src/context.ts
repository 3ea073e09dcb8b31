import { resolve } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { KeyFile, OpeningKey } from '@sluice/ledger/keys'
import type { Zone, ZoneOptions } from '@sluice/sandbox'
import type { Settings } from './environment.js'
import { readText } from './input.js'
import type { Io } from './io.js'
import { openKey, openOpeningKey } from './keyring.js'
import type { Progress } from './output/progress.js'
import type { Ui } from './output/ui.js'
import type { Sources } from './sources.js'

/** What a command works with. */
export class Context {
  readonly io: Io
  readonly settings: Settings
  readonly ui: Ui
  readonly json: boolean
  readonly progress: Progress
  /** texts that were read, for the line that an error points at */
  readonly sources: Sources
  #zone: Zone | undefined

  constructor(parts: Pick<Context, 'io' | 'settings' | 'ui' | 'json' | 'progress' | 'sources'>) {
    this.io = parts.io
    this.settings = parts.settings
    this.ui = parts.ui
    this.json = parts.json
    this.progress = parts.progress
    this.sources = parts.sources
  }

  get signal(): AbortSignal {
    return this.io.signal
  }

  path(file: string): string {
    return resolve(this.io.cwd, file)
  }

  /** Reads a text that errors may point into, under the name that the person gave. */
  async source(file: string, limit: number): Promise<string> {
    const text = await readText(this.path(file), limit)
    this.sources.add(file, text)
    return text
  }

  /** @throws SluiceError ZONE_MISSING where none is named and none lies above */
  zoneDirectory(): string {
    if (this.settings.zone !== undefined) return this.settings.zone
    throw new SluiceError(
      'ZONE_MISSING',
      'this command works on a zone, and there is none at or above this directory',
      {
        remedy: 'Name one with --zone DIR or SLUICE_ZONE, or make one with `sluice init DIR`.',
      },
    )
  }

  /** The zone, closed when the command ends. */
  async zone(): Promise<Zone> {
    const directory = this.zoneDirectory()
    if (this.#zone) return this.#zone
    const { Zone } = await import('@sluice/sandbox')
    this.#zone = await Zone.open(directory, this.zoneOptions())
    return this.#zone
  }

  zoneOptions(): ZoneOptions {
    const { wait, memory } = this.settings
    return {
      signal: this.signal,
      now: this.io.now,
      onWait: () => void this.io.stderr.write(`${this.ui.t('text.waiting')}\n`),
      ...(wait !== undefined && { wait }),
      engine: {
        // a command runs one request at most: no child is started for the next one
        warm: 0,
        ...(memory !== undefined && { memoryBytes: memory }),
      },
    }
  }

  key(file: string): Promise<KeyFile> {
    return openKey(this.path(file), this.io, this.ui, this.settings.passphraseFile)
  }

  /** The secret key of an aggregation. */
  openingKey(file: string): Promise<OpeningKey> {
    return openOpeningKey(this.path(file), this.io, this.ui, this.settings.passphraseFile)
  }

  /** The key that was named, else the user's. @throws SluiceError USAGE where there is none */
  async signer(file: string | undefined): Promise<KeyFile> {
    const path = file ?? this.settings.key
    if (path !== undefined) return this.key(path)
    throw new SluiceError('USAGE', 'this command needs a key', {
      remedy: 'Name its file with --key FILE or SLUICE_KEY_FILE.',
    })
  }

  async signers(files: readonly string[] | undefined): Promise<KeyFile[]> {
    if (!files || files.length === 0) return [await this.signer(undefined)]
    const keys: KeyFile[] = []
    // one after the other: each may ask for a passphrase
    for (const file of files) keys.push(await this.key(file))
    return keys
  }

  async close(): Promise<void> {
    this.progress.end()
    await this.#zone?.close()
  }
}
