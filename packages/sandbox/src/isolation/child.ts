import { type Command, type Inside, insideOf } from './command.js'
import type { FrameLimits } from './frames.js'
import type { IsolationMode } from './mode.js'
import { IsolatedProcess } from './process.js'
import { Staging } from './staging.js'

export interface ChildSettings {
  readonly mode: IsolationMode
  /** makes the command once the staging directory is known */
  readonly command: (staging: string) => Command
  readonly stagingRoot: string
  readonly limits: FrameLimits
}

/** One process that does one job, with a staging directory that ends with it: `end` removes it. */
export class Child extends IsolatedProcess {
  readonly mode: IsolationMode
  readonly staging: Staging
  /** how the child names the parts of its staging directory */
  readonly inside: Inside
  #ended: Promise<void> | null = null

  private constructor({ mode, command, limits }: ChildSettings, staging: Staging) {
    const inside = insideOf(mode, staging.path)
    super({ command: command(staging.path), directory: staging.path, temporary: inside.tmp, limits })
    this.mode = mode
    this.staging = staging
    this.inside = inside
  }

  static async start(settings: ChildSettings): Promise<Child> {
    const staging = await Staging.create(settings.stagingRoot)
    try {
      return new Child(settings, staging)
    } catch (error) {
      await staging.remove()
      throw error
    }
  }

  /** Ends it, waits until nothing of it is left, and removes its directory. May be called more than once. */
  end(): Promise<void> {
    this.#ended ??= this.stop().then(() => this.staging.remove())
    return this.#ended
  }
}
