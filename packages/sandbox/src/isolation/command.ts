import { existsSync, readFileSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import type { IsolationMode } from './mode.js'
import { withoutNested } from './packages.js'

/** What a child may see: folders and files of the installation, and its own staging directory. */
export interface View {
  /** absolute path of the child's program */
  readonly entry: string
  /** absolute paths, read-only, at the same place inside */
  readonly readOnly: readonly string[]
  /** the staging directory outside; `in`, `out`, `tmp` and `root` exist below it. Null: it has no files of its own */
  readonly staging: string | null
  /** absolute paths, without symbolic links, of files that a child without a staging directory sees read-only */
  readonly inputs?: readonly string[] | undefined
  /** arguments to Node before the program */
  readonly nodeOptions: readonly string[]
}

/** Where the child finds its staging directory's parts. */
export interface Inside {
  readonly in: string
  readonly out: string
  readonly tmp: string
}

export interface Programs {
  readonly node: string
  readonly bwrap: string | null
  readonly unshare: string | null
  readonly setpriv: string | null
  readonly sh: string | null
  readonly prlimit: string | null
}

export interface Command {
  readonly file: string
  readonly arguments: readonly string[]
}

/** For a program of ours that makes no code of texts. */
export const CHILD_NODE_OPTIONS: readonly string[] = [
  '--disallow-code-generation-from-strings',
  '--no-warnings',
]

// not /tmp: the installation itself may lie below that
const INSIDE = '/sluice'

/** The path by which a child without a staging directory names an input that is mounted for it. */
export function inputInside(index: number): string {
  return `${INSIDE}/in/${index}`
}

/** The paths by which a child of this mode names its staging directory. */
export function insideOf(mode: IsolationMode, staging: string): Inside {
  const base = mode === 'process' ? staging : INSIDE
  return { in: `${base}/in`, out: `${base}/out`, tmp: `${base}/tmp` }
}

/**
 * The command that starts a child. Pure but for looking at which system folders exist; null where a program for
 * the mode is missing.
 *
 * @param memoryBytes limit of `prlimit --data`; `--as` would kill WebAssembly, which reserves address space
 */
export function isolationCommand(
  mode: IsolationMode,
  view: View,
  programs: Programs,
  memoryBytes: number | null,
): Command | null {
  const node = [programs.node, ...view.nodeOptions, view.entry]
  const argumentsOf = { bubblewrap, namespaces, process: () => node }[mode](view, programs, node)
  if (argumentsOf === null) return null
  const limited =
    programs.prlimit === null
      ? argumentsOf
      : [
          programs.prlimit,
          '--core=0',
          ...(memoryBytes === null ? [] : [`--data=${memoryBytes}`]),
          '--',
          ...argumentsOf,
        ]
  return { file: limited[0] as string, arguments: limited.slice(1) }
}

function bubblewrap(view: View, programs: Programs, node: readonly string[]): string[] | null {
  if (programs.bwrap === null) return null
  const readOnly = withoutNested([...systemLibraries(), programs.node, ...view.readOnly])
  return [
    programs.bwrap,
    '--unshare-all',
    '--die-with-parent',
    '--cap-drop',
    'ALL',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    ...readOnly.flatMap(path => ['--ro-bind', path, path]),
    ...stagingParts(view).flatMap(({ from, to, writable }) => [writable ? '--bind' : '--ro-bind', from, to]),
    '--remount-ro',
    '/',
    '--chdir',
    '/',
    '--',
    ...node,
  ]
}

/**
 * The same view by util-linux alone: a mount namespace is filled on a private tmpfs, becomes the root, and all
 * capabilities are dropped. `$1` is the new root; then three arguments a mount (options, from, to), `--`, and the
 * command. A mount's options have to repeat the flags that the outer mount has: a user namespace may not clear them.
 */
const ENTER_NAMESPACES = `set -eu
root=$1; shift
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root"
while [ "$1" != -- ]; do
  if [ -d "$2" ]; then mkdir -p "$root$3"; else mkdir -p "$root\${3%/*}"; : > "$root$3"; fi
  mount --bind "$2" "$root$3"
  if [ "$1" != - ]; then mount -o "remount,bind,$1" "$root$3"; fi
  shift 3
done
shift
mkdir -p "$root/proc" "$root/old"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
cd "$root"
pivot_root . old
cd /
umount -l /old
rmdir /old
mount -o remount,ro,nosuid,nodev /
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --pdeathsig KILL -- "$@"`

function namespaces(view: View, programs: Programs, node: readonly string[]): string[] | null {
  if (programs.unshare === null || programs.setpriv === null || programs.sh === null) return null
  const flags = mountFlags()
  // the shell still needs its programs after the root has changed
  const commands = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].filter(path => existsSync(path))
  const readOnly = withoutNested([...systemLibraries(), ...commands, programs.node, ...view.readOnly])
  const mounts = [
    ...readOnly.flatMap(path => [`ro,nosuid,nodev${flags(path)}`, path, path]),
    ...['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom'].flatMap(path => ['-', path, path]),
    ...stagingParts(view).flatMap(({ from, to, writable }) => [
      `${writable ? '' : 'ro,'}nosuid,nodev${flags(from)}`,
      from,
      to,
    ]),
  ]
  return [
    programs.unshare,
    '--user',
    '--map-root-user',
    '--mount',
    '--net',
    '--ipc',
    '--uts',
    '--pid',
    '--fork',
    '--kill-child=KILL',
    '--',
    programs.sh,
    '-c',
    ENTER_NAMESPACES,
    'sluice',
    rootPoint(view),
    ...mounts,
    '--',
    ...node,
  ]
}

function stagingParts({ staging, inputs = [] }: View): { from: string; to: string; writable: boolean }[] {
  if (staging === null) {
    return inputs.map((from, index) => ({ from, to: inputInside(index), writable: false }))
  }
  return ['in', 'out', 'tmp'].map(name => ({
    from: `${staging}/${name}`,
    to: `${INSIDE}/${name}`,
    writable: name !== 'in',
  }))
}

/**
 * Where the new root is mounted. That is seen in the child's own mount namespace alone, so that without a staging
 * directory any folder does which holds nothing that the child needs.
 */
function rootPoint({ staging }: View): string {
  return staging === null ? '/sys' : `${staging}/root`
}

function systemLibraries(): string[] {
  return [
    '/usr/lib',
    '/usr/lib32',
    '/usr/lib64',
    '/usr/local/lib',
    '/lib',
    '/lib32',
    '/lib64',
    '/nix/store',
    '/etc/ld.so.cache',
  ].filter(path => existsSync(path))
}

const KEPT_FLAGS = new Set(['noexec', 'noatime', 'nodiratime', 'relatime'])

/** `,noexec,relatime` and the like of the mount that a path lies on, from /proc/self/mountinfo (proc(5)). */
function mountFlags(): (path: string) => string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(fields => fields.length > 5)
    .map(fields => ({ point: fields[4] as string, flags: (fields[5] as string).split(',') }))
  const find = (path: string): string[] => {
    const mount = mounts.findLast(candidate => candidate.point === path)
    if (mount) return mount.flags
    return path === sep ? [] : find(dirname(path))
  }
  return path =>
    find(path)
      .filter(flag => KEPT_FLAGS.has(flag))
      .map(flag => `,${flag}`)
      .join('')
}
