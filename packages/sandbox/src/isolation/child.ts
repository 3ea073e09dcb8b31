import { SluiceError } from '@sluice/core'
import { type Command, type Inside, inputInside, insideOf } from './command.js'
import type { FrameLimits } from './frames.js'
import type { IsolationMode } from './mode.js'
import { IsolatedProcess } from './process.js'
import { Staging } from './staging.js'

/** A file that this process has open for reading. */
export interface OpenInput {
  /** without symbolic links */
  readonly path: string
  readonly descriptor: number
}

export interface ChildSettings {
  readonly mode: IsolationMode
  /** makes the command once the staging directory is known; null where there is none */
  readonly command: (staging: string | null) => Command
  readonly stagingRoot: string
  /** descriptors of open files, instead of a staging directory */
  readonly files?: readonly number[]
  /** what it reads beside these */
  readonly inputs?: readonly OpenInput[]
  readonly limits: FrameLimits
}

/**
 * One process that does one job, with a staging directory that ends with it: `end` removes it. Or with open files and no
 * directory: then nothing of it is left even where this process is killed.
 *
 * Who has a descriptor can open its file again and write to it, whatever the descriptor is for. So `inputs` are mounted
 * read-only where the child's view is its own; whoever starts it sees to it that each path is still the open file's once
 * the child has answered. Under `process`, which keeps nothing out, it gets their descriptors.
 */
export class Child extends IsolatedProcess {
  readonly mode: IsolationMode
  readonly #staging: Staging | null
  /** how the child names the parts of its staging directory */
  readonly inside: Inside
  readonly #files: number
  #ended: Promise<void> | null = null

  private constructor(
    { mode, command, limits, files = [], inputs = [] }: ChildSettings,
    staging: Staging | null,
  ) {
    const inside = staging === null ? NOWHERE : insideOf(mode, staging.path)
    super({
      command: command(staging?.path ?? null),
      ...{ directory: staging?.path ?? '/', temporary: staging === null ? '/' : inside.tmp, limits },
      files: mode === 'process' ? [...files, ...inputs.map(({ descriptor }) => descriptor)] : files,
    })
    this.mode = mode
    this.#staging = staging
    this.inside = inside
    this.#files = files.length
  }

  static async start(settings: ChildSettings): Promise<Child> {
    const staging = settings.files === undefined ? await Staging.create(settings.stagingRoot) : null
    try {
      return new Child(settings, staging)
    } catch (error) {
      await staging?.remove()
      throw error
    }
  }

  /** The path by which it opens one of its `inputs`. */
  inputInside(index: number): string {
    return this.mode === 'process' ? this.fileInside(this.#files + index) : inputInside(index)
  }

  get staging(): Staging {
    if (this.#staging === null) throw new SluiceError('INTERNAL', 'this child has no directory')
    return this.#staging
  }

  /** Ends it, waits until nothing of it is left, and removes its directory. May be called more than once. */
  end(): Promise<void> {
    this.#ended ??= this.stop().then(() => this.#staging?.remove())
    return this.#ended
  }
}

/** An engine without a directory for temporary files makes none. */
const NOWHERE: Inside = { in: '', out: '', tmp: '' }
