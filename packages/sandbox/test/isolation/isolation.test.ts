import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  ChildPool,
  findPrograms,
  ISOLATION_MODES,
  type IsolationMode,
  isUsable,
} from '@sluice/sandbox/duckdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/**
 * The child here is a hostile one: a program that does what it is told, so that what it can reach is seen from
 * inside. A mode that this machine lacks is named so.
 */
const HOSTILE = fileURLToPath(new URL('./hostile/hostile-child.mjs', import.meta.url))

let folder: string
let secret: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-isolation-'))
  await mkdir(join(folder, 'data'))
  secret = join(folder, 'data', 'other.parquet')
  await writeFile(secret, 'another dataset of the zone')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function pool(options: {
  mode?: IsolationMode
  minimum?: IsolationMode
  atLeast?: IsolationMode
  memoryBytes?: number
  outputBytes?: number
}) {
  return new ChildPool({
    program: { entry: HOSTILE, dependencies: [] },
    stagingRoot: join(folder, 'staging'),
    warm: 0,
    ...options,
  })
}

const usable = new Map(
  await Promise.all(ISOLATION_MODES.map(async mode => [mode, await isUsable(mode)] as const)),
)
const JOB = { grade: '1', milliseconds: 120_000 }

describe.each(ISOLATION_MODES)('%s', mode => {
  if (!usable.get(mode)) {
    it(`is not available on this machine: ${mode} was not tested`, async () => {
      await expect(pool({ mode: 'process', minimum: mode }).run(JOB, async () => 1)).toThrowWithCode(
        'ISOLATION_MISSING',
        'isolation',
      )
    })
    return
  }

  it('gives the child its job’s files, and an environment without the parent’s', async () => {
    process.env['SLUICE_TEST_SECRET'] = 'passphrase'
    const seen = await inside(
      pool({ mode }),
      `
      return {
        environment: Object.keys(process.env).sort(),
        file: fs.readFileSync(process.env.HOME + '/../in/mine', 'utf8'),
        descriptors: fs.readdirSync('/proc/self/fd').map(Number).filter(fd => fd > 2 && target(fd).startsWith('/') && !target(fd).startsWith('/dev') && !target(fd).startsWith('/proc')),
      }
      function target(fd) { try { return fs.readlinkSync('/proc/self/fd/' + fd) } catch { return '' } }
    `,
    )
    expect(seen).toEqual({
      environment: [
        'HOME',
        'LANG',
        'PATH',
        'TMPDIR',
        'TZ',
        ...(mode === 'namespaces' ? ['OLDPWD', 'PWD'] : mode === 'bubblewrap' ? ['PWD'] : []),
      ].sort(),
      file: 'mine',
      descriptors: [],
    })
    delete process.env['SLUICE_TEST_SECRET']
  })

  it(
    mode === 'process' ? 'hides nothing, which is why it is the last resort' : 'hides every other file',
    async () => {
      const seen = await inside(
        pool({ mode }),
        `
      const tryTo = task => { try { return task() === undefined ? 'done' : 'read' } catch (error) { return error.code } }
      return {
        other: tryTo(() => fs.readFileSync(${JSON.stringify(secret)})),
        passwords: tryTo(() => fs.readFileSync('/etc/passwd')),
        root: tryTo(() => fs.writeFileSync('/written', 'x')),
        input: tryTo(() => fs.writeFileSync(process.env.HOME + '/../in/mine', 'x')),
        output: tryTo(() => fs.writeFileSync(process.env.HOME + '/../out/mine', 'x')),
      }
    `,
      )
      if (mode === 'process') {
        expect(seen).toMatchObject({ other: 'read', output: 'done' })
      } else {
        expect(seen).toEqual({
          other: 'ENOENT',
          passwords: 'ENOENT',
          root: 'EROFS',
          input: 'EROFS',
          output: 'done',
        })
      }
    },
  )

  it.skipIf(process.platform !== 'linux')(
    mode === 'process'
      ? 'may write to an open file that it is to read'
      : 'reads an open file, and cannot write to it by any name or descriptor',
    async () => {
      const [path, folders] = [join(folder, 'data', 'open'), join(folder, 'staging')]
      await writeFile(path, 'rows')
      const [input, output] = [await open(path, 'r'), await open(join(folder, 'data', 'made'), 'w')]
      const job = { ...JOB, files: [output.fd], inputs: [{ path, descriptor: input.fd }] }
      const { ino } = await input.stat()
      const before = await readdir(folders).catch(() => [])
      const seen = await pool({ mode }).run(job, async child => {
        await child.receive()
        const source = JSON.stringify(child.inputInside(0))
        const made = JSON.stringify(child.fileInside(0))
        await child.send({
          code: `
      const tryTo = task => { try { return task() ?? 'done' } catch (error) { return error.code } }
      const names = fs.readdirSync('/proc/self/fd').map(fd => '/proc/self/fd/' + fd)
      return {
        rows: tryTo(() => fs.readFileSync(${source}, 'utf8')),
        output: tryTo(() => fs.writeFileSync(${made}, 'made')),
        input: tryTo(() => fs.writeFileSync(${source}, 'evil')),
        descriptors: names.filter(name => tryTo(() => fs.statSync(name).ino) === ${ino}).length,
      }`,
        })
        const frame = await child.receive()
        return frame.kind === 'json' ? frame.value : null
      })
      await input.close()
      await output.close()
      expect(await readdir(folders).catch(() => [])).toEqual(before)
      expect(await readFile(join(folder, 'data', 'made'), 'utf8')).toBe('made')
      const isKept = mode !== 'process'
      const could = isKept ? { input: 'EROFS', descriptors: 0 } : { input: 'done', descriptors: 1 }
      expect(seen).toEqual({ rows: 'rows', output: 'done', ...could })
      expect(await readFile(path, 'utf8')).toBe(isKept ? 'rows' : 'evil')
    },
  )

  it(mode === 'process' ? 'reaches the network' : 'reaches no network', async () => {
    const server = createServer(socket => socket.on('error', () => socket.destroy()).end('hello')).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const seen = await inside(
      pool({ mode }),
      `
      return new Promise(resolve => {
        const socket = net.connect(${port}, '127.0.0.1')
        socket.once('error', error => resolve(error.code))
        socket.once('connect', () => { socket.destroy(); resolve('connected') })
      })
    `,
    )
    server.close()
    if (mode === 'process') expect(seen).toBe('connected')
    else expect(seen).not.toBe('connected')
  })

  it('ends a child that takes too long, with all that it started', async () => {
    const taken = pool({ mode })
    let group = 0
    const run = taken.run({ ...JOB, milliseconds: 3_000 }, async child => {
      await child.receive()
      group = child.pid ?? 0
      await child.send({
        code: `childProcess.spawn('/bin/sleep', ['1000']); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
      })
      await child.receive()
    })
    await expect(run).toThrowWithCode('TIME_EXCEEDED', 'wall-clock')
    await expectNothingLeft(group)
  })

  it('ends on an abort, and leaves nothing behind', async () => {
    const taken = pool({ mode })
    const abort = new AbortController()
    let group = 0
    const run = taken.run({ ...JOB, signal: abort.signal }, async child => {
      await child.receive()
      group = child.pid ?? 0
      await child.send({ code: `fs.writeFileSync(process.env.HOME + '/spilled', 'x'); return 1` })
      await child.receive()
      await child.send({ code: 'for (;;) {}' })
      setTimeout(() => abort.abort(), 100)
      await child.receive()
    })
    await expect(run).toThrowWithCode('INTERRUPTED')
    await expectNothingLeft(group)
  })

  it('tells a child that was killed from one that failed', async () => {
    const killed = pool({ mode }).run(JOB, async child => {
      await child.receive()
      process.kill(child.pid ?? 0, 'SIGKILL')
      await child.receive()
    })
    await expect(killed).toThrowWithCode('ENGINE_KILLED')
    const exited = pool({ mode }).run(JOB, async child => {
      await child.receive()
      await child.send({ code: 'process.exit(3)' })
      await child.receive()
    })
    await expect(exited).toThrowWithCode('ENGINE_KILLED')
  })

  it('limits memory from outside', async () => {
    const run = pool({ mode, memoryBytes: 2 ** 29 }).run(JOB, async child => {
      await child.receive()
      await child.send({
        code: `const kept = []; for (;;) { const page = new Uint8Array(16 << 20); page.fill(1); kept.push(page) }`,
      })
      await child.receive()
    })
    await expect(run).toThrowWithCode('MEMORY_EXCEEDED')
  })

  it('watches memory where the machine has no prlimit', async () => {
    const watched = new ChildPool(
      {
        program: { entry: HOSTILE, dependencies: [] },
        stagingRoot: join(folder, 'staging'),
        mode,
        memoryBytes: 2 ** 29,
        warm: 0,
      },
      { ...findPrograms(), prlimit: null },
    )
    const run = watched.run(JOB, async child => {
      await child.receive()
      await child.send({
        code: `const kept = []; setInterval(() => kept.push(Buffer.alloc(64 << 20, 1)), 50); return new Promise(() => undefined)`,
      })
      await child.receive()
    })
    await expect(run).toThrowWithCode('MEMORY_EXCEEDED')
  })

  it('limits what the child sends', async () => {
    const run = pool({ mode, outputBytes: 1 << 20 }).run(JOB, async child => {
      await child.receive()
      await child.send({ code: `frame(2, Buffer.alloc(2 << 20)); return new Promise(() => undefined)` })
      await child.receive()
    })
    await expect(run).toThrowWithCode('RESULT_TOO_LARGE', 'output-size')
  })

  it.each([
    ['no frame', `process.stdout.write('hello, this is not a frame at all')`, 'ENGINE_FAILED'],
    ['an empty frame', `process.stdout.write(Buffer.from([0, 0, 0, 0, 1]))`, 'ENGINE_FAILED'],
    ['a frame of 4 GiB', `process.stdout.write(Buffer.from([255, 255, 255, 255, 2]))`, 'RESULT_TOO_LARGE'],
    ['no JSON', `frame(1, Buffer.from('{'))`, 'ENGINE_FAILED'],
    ['no UTF-8', `frame(1, Buffer.from([0x22, 0xff, 0x22]))`, 'ENGINE_FAILED'],
  ])('refuses %s', async (_, code, expected) => {
    const run = pool({ mode }).run(JOB, async child => {
      await child.receive()
      await child.send({ code: `${code}; return new Promise(() => undefined)` })
      await child.receive()
    })
    await expect(run).toThrowWithCode(expected)
  })
})

describe('the least isolation', () => {
  it('is not a bare process for level 3 and above, where nobody named one', async () => {
    const bare = pool({ mode: 'process' })
    await expect(bare.run({ ...JOB, grade: '3' }, async () => 1)).toThrowWithCode(
      'ISOLATION_MISSING',
      'isolation',
    )
    await expect(bare.run({ ...JOB, grade: 'core' }, async () => 1)).toThrowWithCode('ISOLATION_MISSING')
    expect(await bare.run({ ...JOB, grade: '2' }, async () => 1)).toBe(1)
  })

  it('is tightened by who opens the zone, and not loosened', async () => {
    const bare = pool({ mode: 'process', atLeast: 'process' })
    await expect(bare.run({ ...JOB, grade: '3' }, async () => 1)).toThrowWithCode('ISOLATION_MISSING')
    const strict = pool({ mode: 'process', minimum: 'process', atLeast: 'namespaces' })
    await expect(strict.run({ ...JOB, grade: '1' }, async () => 1)).toThrowWithCode('ISOLATION_MISSING')
  })

  it('is what the zone names', async () => {
    expect(
      await pool({ mode: 'process', minimum: 'process' }).run({ ...JOB, grade: '4' }, async () => 1),
    ).toBe(1)
    const strict = pool({ mode: 'process', minimum: 'bubblewrap' })
    await expect(strict.run({ ...JOB, grade: '1' }, async () => 1)).toThrowWithCode('ISOLATION_MISSING')
  })
})

describe('a pool', () => {
  it('starts children ahead, gives each one job, and leaves none', async () => {
    const warm = new ChildPool({
      program: { entry: HOSTILE, dependencies: [] },
      stagingRoot: join(folder, 'staging'),
      minimum: 'process',
      warm: 1,
    })
    await warm.ready()
    const pids = new Set<number | undefined>()
    for (let job = 0; job < 3; job++) {
      await warm.run(JOB, async child => {
        pids.add(child.pid)
      })
    }
    await warm.ready()
    expect(pids.size).toBe(3)
    await warm.close()
    expect(await readdir(join(folder, 'staging'))).toEqual([])
    await expect(warm.run(JOB, async () => 1)).toThrowWithCode('INTERNAL')
  })

  it('ends its children with a parent that is killed', async () => {
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL('./hostile/parent.mjs', import.meta.url)), folder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const group = Number(line.toString())
    expect(processesOf(group).length).toBeGreaterThan(0)
    parent.kill('SIGKILL')
    await expect.poll(() => processesOf(group), { timeout: 30_000 }).toEqual([])
  })

  it('does not hand on a descriptor that this program inherited', async () => {
    const script = fileURLToPath(new URL('./hostile/parent.mjs', import.meta.url))
    const shell = spawn(
      '/bin/sh',
      ['-c', `exec 9<"$1"; exec "$2" "$3" "$4" descriptors`, 'sh', secret, process.execPath, script, folder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [answer] = (await once(shell.stdout, 'data')) as [Buffer]
    await once(shell, 'close')
    expect(JSON.parse(answer.toString())).toEqual({ parent: true, child: false })
  })

  it('waits for the last pipe of a child that has ended, also where nothing else keeps the program running', async () => {
    const script = fileURLToPath(new URL('./hostile/parent.mjs', import.meta.url))
    const parent = spawn(process.execPath, [script, folder, 'linger'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    parent.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString()
    })
    const [code] = (await once(parent, 'close')) as [number]
    expect({ code, output }).toEqual({ code: 0, output: 'closed\n' })
  })

  it('knows where its programs are', () => {
    expect(findPrograms().node).toBe(process.execPath)
  })
})

/** Runs code in a child of its own and gives what it returns. */
async function inside(from: ChildPool, code: string): Promise<unknown> {
  const mine = join(folder, 'mine')
  await writeFile(mine, 'mine')
  return from.run(JOB, async child => {
    await child.staging.link(mine, 'mine')
    await child.receive()
    await child.send({ code })
    const frame = await child.receive()
    return frame.kind === 'json' ? frame.value : null
  })
}

async function expectNothingLeft(group: number): Promise<void> {
  expect(group).toBeGreaterThan(0)
  expect(await readdir(join(folder, 'staging'))).toEqual([])
  await expect.poll(() => processesOf(group), { timeout: 30_000 }).toEqual([])
}

/** Living processes of a group (proc(5): the third field after the name is the group, the first the state). */
function processesOf(group: number): string[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc').filter(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [state, , own] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(own) === group && state !== 'Z'
    } catch {
      // ended since it was listed
      return false
    }
  })
}
