import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'

/** The absolute path of a program, or null where the machine has none. Relative entries of PATH are ignored. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | null {
  for (const folder of `${path}${delimiter}${SYSTEM_PATH}`.split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // not there: the next folder may have it
    }
  }
  return null
}
