// A program with a pool, for tests that end it: prints its child's process group and waits; or, asked for
// descriptors, prints whether it and its child have number 9.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ChildPool } from '@sluice/sandbox/duckdb'

const [folder, what] = process.argv.slice(2)
const pool = new ChildPool({
  program: { entry: fileURLToPath(new URL('./hostile-child.mjs', import.meta.url)), dependencies: [] },
  stagingRoot: `${folder}/killed`,
  minimum: 'process',
  ...(what === 'descriptors' && { mode: 'process' }),
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
  console.log(child.pid)
  await child.receive()
})
