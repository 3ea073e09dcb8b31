import { readdirSync, readFileSync } from 'node:fs'
import { findPrograms, ISOLATION_MODES, isUsable } from '@sluice/sandbox/duckdb'
import { Gate } from '@sluice/sandbox/sql'
import { describe, expect, it } from 'vitest'
import { catalogue } from './refused-queries.js'

const usable = new Map(
  await Promise.all(ISOLATION_MODES.map(async mode => [mode, await isUsable(mode)] as const)),
)
const MEMORY = 700 * 1024 ** 2

describe.each(ISOLATION_MODES)('the process that parses queries, under %s', mode => {
  if (!usable.get(mode)) {
    it(`is refused where ${mode} is the least, since this machine does not have it`, () =>
      expect(Gate.start({ mode: 'process', minimum: mode })).toThrowWithCode(
        'ISOLATION_MISSING',
        'isolation',
      ))
    return
  }

  it.runIf(process.platform === 'linux')('is kept apart, limited, and does its work', async () => {
    const before = new Set(parsers().map(({ pid }) => pid))
    const gate = await Gate.start({ mode, memoryBytes: MEMORY })
    try {
      const [own] = parsers().filter(({ pid }) => !before.has(pid))
      expect(await gate.isolation()).toBe(mode)
      const { emitted } = await gate.compile({ sql: 'SELECT count(*) AS n FROM t', catalogue })
      expect(emitted).toContain('"zone"."main"."t"')
      if (findPrograms().prlimit !== null) {
        expect(/^Max data size\s+(\d+)/m.exec(own!.limits)?.[1]).toBe(String(MEMORY))
        expect(/^Max core file size\s+(\d+)/m.exec(own!.limits)?.[1]).toBe('0')
      }
      expect(own!.environment).not.toContain('SLUICE')
      if (mode === 'process') return
      // a process in a namespace of process ids has a number for each; in a bare process there is one
      expect(/^NSpid:\s+\d+\s+\d+/m.test(own!.status)).toBe(true)
      expect(/^CapEff:\s+0{16}$/m.test(own!.status)).toBe(true)
      expect(/^NoNewPrivs:\s+1$/m.test(own!.status)).toBe(true)
      const writable = own!.mounts
        .split('\n')
        .map(line => line.split(' '))
        .filter(([, , , , , options]) => options?.startsWith('rw'))
        .map(([, , , , point]) => point)
      expect(writable.filter(point => !/^\/(dev|proc)(\/|$)/.test(point!))).toEqual([])
      expect(own!.mounts).not.toMatch(/ \/(home|etc|root|var|tmp) /)
    } finally {
      await gate.close()
    }
    expect(parsers().filter(({ pid }) => !before.has(pid))).toEqual([])
  })
})

interface Seen {
  readonly pid: number
  readonly parent: number
  readonly limits: string
  readonly status: string
  readonly mounts: string
  readonly environment: string
}

/** The parsers that this very process started, as the kernel shows them (proc(5)). */
function parsers(): Seen[] {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const read = (file: string) => readFileSync(`/proc/${name}/${file}`, 'latin1')
        const status = read('status')
        return [{ pid: Number(name), parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]), status, read }]
      } catch {
        return []
      }
    })
  const parentOf = new Map(all.map(({ pid, parent }) => [pid, parent]))
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isOurs(parentOf.get(pid)))
  return all.flatMap(({ pid, parent, status, read }) => {
    try {
      const [program, ...words] = read('cmdline').split('\0')
      if (program !== process.execPath || !words.some(word => word.endsWith('parser-child.js'))) return []
      if (!isOurs(pid)) return []
      return [
        {
          pid,
          parent,
          status,
          limits: read('limits'),
          mounts: read('mountinfo'),
          environment: read('environ'),
        },
      ]
    } catch {
      return []
    }
  })
}
