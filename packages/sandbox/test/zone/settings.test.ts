import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Zone, type ZoneOptions } from '@sluice/sandbox'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { BY_TOWN, type Keys, makeKeys, makeZone } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

/** The zone of a directory as somebody opens it who would rather run in a bare process. */
async function opened(directory: string, engine: ZoneOptions['engine'] = {}): Promise<Zone> {
  const zone = await Zone.open(directory, { engine: { mode: 'process', ...engine } })
  onTestFinished(() => zone.close())
  return zone
}

describe('the isolation that a zone names', () => {
  it('binds whoever opens it, at the gate and at a run, and no option loosens it', async () => {
    const { directory, approved } = await makeZone(keys)
    const id = await approved()
    await writeFile(join(directory, 'sluice.yaml'), 'isolation: bubblewrap\nlang: zh\n')
    for (const engine of [{}, { atLeast: 'process' }] as const) {
      const zone = await opened(directory, engine)
      await expect(zone.requests.submit(BY_TOWN, keys.consumer)).toThrowWithCode(
        'ISOLATION_MISSING',
        'isolation',
      )
      const run = zone.run(id, keys.operator, { parameters: { since: '2000' } })
      await expect(run).toThrowWithCode('ISOLATION_MISSING', 'isolation')
      expect(zone.requests.show(id).runs).toBe(0)
    }
  })

  it('is tightened by an option', async () => {
    const { directory, approved } = await makeZone(keys)
    const id = await approved()
    await writeFile(join(directory, 'sluice.yaml'), 'isolation: process\n')
    const strict = await opened(directory, { atLeast: 'namespaces' })
    await expect(strict.run(id, keys.operator, { parameters: { since: '2000' } })).toThrowWithCode(
      'ISOLATION_MISSING',
    )
    const zone = await opened(directory)
    await zone.run(id, keys.operator, { parameters: { since: '2000' } })
    expect(zone.requests.show(id).runs).toBe(1)
  })

  it.each([
    ['none that there is', 'isolation: container\n'],
    ['a list', 'isolation: [bubblewrap]\n'],
    ['hidden in what is no YAML', 'isolation: process\n  - {\n'],
    ['behind an alias', 'a: &a process\nisolation: *a\n'],
    ['in a file that is too large', `# ${'x'.repeat(70_000)}\nisolation: process\n`],
  ])('%s: the zone does not open', async (_, text) => {
    const { directory } = await makeZone(keys)
    await writeFile(join(directory, 'sluice.yaml'), text)
    await expect(Zone.open(directory)).toThrowWithCode('FILE_FORMAT', 'configuration')
  })
})
