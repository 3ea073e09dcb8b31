import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/**
 * Three parties in a network namespace of their own, whose loopback loses and delays packets: `SLUICE_NETWORK=1` asks for
 * it, on Linux with `unshare` and `tc`. Where the kernel has no netem, a slow link with a queue that overflows takes its
 * place, which loses packets too.
 */
const NETEM = 'netem delay 20ms 10ms loss 3%'
const SLOW = 'tbf rate 20mbit burst 8kb limit 40kb'

const inNamespace = (commands: string, ...words: string[]) =>
  spawnSync('unshare', ['-rn', 'sh', '-c', `ip link set lo mtu 1500 up && ${commands}`, 'sh', ...words], {
    encoding: 'utf8',
    timeout: 240_000,
  })

const asked = process.env['SLUICE_NETWORK'] !== undefined
const disciplines = [NETEM, SLOW].filter(
  discipline => asked && inNamespace(`tc qdisc add dev lo root ${discipline}`).status === 0,
)
const reason = !asked
  ? 'SLUICE_NETWORK is not set'
  : disciplines.length === 0
    ? 'there is no `unshare -rn`, or no `tc` with netem or tbf'
    : undefined
if (reason !== undefined) console.log(`skipped, the network of the kernel’s own: ${reason}`)

describe.skipIf(reason !== undefined)('a network that loses packets', () => {
  it.each(asked ? disciplines : [NETEM])(
    '%s: everybody gets the right result',
    { timeout: 250_000 },
    discipline => {
      const script = fileURLToPath(new URL('./three-parties.mjs', import.meta.url))
      const { stdout, stderr } = inNamespace(
        `tc qdisc add dev lo root ${discipline} && "$1" "$2" && tc -s qdisc show dev lo`,
        process.execPath,
        script,
      )
      expect(stderr).toBe('')
      const [said, ...shown] = stdout.split('\n')
      expect(JSON.parse(said!)).toEqual({ sorted: [true, true, true] })
      const [, dropped] = /dropped (\d+)/.exec(shown.join('\n')) ?? []
      expect(Number(dropped)).toBeGreaterThan(0)
    },
  )
})
