// A program with a pool, for tests that end it: prints its child's process group and waits; or, asked for
// descriptors, prints whether it and its child have number 9; or, asked to linger, leaves a process behind that
// keeps the child's stderr open for a while, and prints when the pool has closed.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ChildPool } from '@sluice/sandbox/duckdb'

const [folder, what] = process.argv.slice(2)
const pool = new ChildPool({
  program: { entry: fileURLToPath(new URL('./hostile-child.mjs', import.meta.url)), dependencies: [] },
  stagingRoot: `${folder}/killed`,
  minimum: 'process',
  ...(what !== undefined && { mode: 'process' }),
  warm: 0,
})
await pool.run({ grade: '1', milliseconds: 60_000 }, async child => {
  await child.receive()
  if (what === 'descriptors') {
    await child.send({
      code: `try { return fs.readlinkSync('/proc/self/fd/9').includes('other') } catch { return false }`,
    })
    const { value } = await child.receive()
    console.log(JSON.stringify({ parent: existsSync('/proc/self/fd/9'), child: value }))
    return
  }
  if (what === 'linger') {
    await child.send({
      code: `childProcess.spawn('/bin/sleep', ['0.5'], { detached: true, stdio: ['ignore', 'ignore', 'inherit'] })`,
    })
    await child.receive()
    return
  }
  console.log(child.pid)
  await child.receive()
})
await pool.close()
console.log('closed')
