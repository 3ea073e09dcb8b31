import { dirname, join } from 'node:path'
import type { Files } from '@sluice/ledger'

/** What a crash leaves of what was written and not synced: nothing, all of it, or any part, block by block. */
export type Survival = 'lost' | 'kept' | 'mixed'
export type Fault =
  | { readonly kind: 'crash' }
  /** the call fails, having done nothing, or half of a write; the process goes on */
  | { readonly kind: 'error'; readonly code: string }

interface Inode {
  content: Buffer
  synced: Buffer
}

const BLOCK = 64

/**
 * A disk with a cache. Content is durable after `sync`, names after `syncDirectory`; until then a crash may undo them
 * one by one. Each call that changes something is a step, and a fault can be set for any step.
 */
export class MemoryFiles implements Files {
  #names = new Map<string, Inode | 'directory'>()
  #durable = new Map<string, Inode | 'directory'>()
  #locks = new Set<string>()
  #dead = false
  steps = 0
  readonly trace: string[] = []
  #faults = new Map<number, Fault>()
  /** every step from here on fails; a disk that is full stays full */
  full = false

  failAt(step: number, fault: Fault): void {
    this.#faults.set(step, fault)
  }

  /** The machine after power came back; this one stays dead. */
  afterCrash(survival: Survival, random: () => number): MemoryFiles {
    const next = new MemoryFiles()
    const keep = () => (survival === 'mixed' ? random() < 0.5 : survival === 'kept')
    const content = new Map<Inode, Inode>()
    const survivor = (inode: Inode | 'directory') => {
      if (inode === 'directory') return inode
      let copy = content.get(inode)
      if (copy === undefined) {
        const bytes = tear(inode, keep)
        copy = { content: bytes, synced: Buffer.from(bytes) }
        content.set(inode, copy)
      }
      return copy
    }
    for (const path of new Set([...this.#names.keys(), ...this.#durable.keys()])) {
      const [volatile, durable] = [this.#names.get(path), this.#durable.get(path)]
      const inode = volatile === durable || !keep() ? durable : volatile
      if (inode !== undefined) next.#names.set(path, survivor(inode))
    }
    for (const path of [...next.#names.keys()].sort()) {
      const above = dirname(path)
      if (above !== '/' && next.#names.get(above) !== 'directory') next.#names.delete(path)
    }
    next.#durable = new Map(next.#names)
    return next
  }

  async read(path: string): Promise<Uint8Array | null> {
    this.#alive()
    const inode = this.#names.get(path)
    return inode === undefined || inode === 'directory' ? null : Buffer.from(inode.content)
  }

  async size(path: string): Promise<number | null> {
    return (await this.read(path))?.length ?? null
  }

  async list(path: string): Promise<string[]> {
    this.#alive()
    return [...this.#names.keys()]
      .filter(each => dirname(each) === path)
      .map(each => each.slice(path.length + 1))
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#names.get(path) === 'directory' || path === '/') return
    await this.makeDirectory(dirname(path))
    this.#step(`mkdir ${path}`)
    this.#names.set(path, 'directory')
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const inode: Inode = { content: Buffer.alloc(0), synced: Buffer.alloc(0) }
    this.#step(`write ${path}`, () => {
      inode.content = Buffer.from(bytes.subarray(0, bytes.length / 2))
      this.#names.set(path, inode)
    })
    inode.content = Buffer.from(bytes)
    this.#names.set(path, inode)
    this.#step(`sync ${path}`)
    inode.synced = inode.content
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step(`rename ${from} ${to}`)
    const inode = this.#names.get(from)
    if (inode === undefined) throw failure('ENOENT')
    this.#names.set(to, inode)
    this.#names.delete(from)
  }

  async remove(path: string): Promise<void> {
    this.#step(`remove ${path}`)
    for (const each of [...this.#names.keys()]) {
      if (each === path || each.startsWith(`${path}/`)) this.#names.delete(each)
    }
  }

  async syncDirectory(path: string): Promise<void> {
    this.#step(`syncdir ${path}`)
    for (const each of new Set([...this.#names.keys(), ...this.#durable.keys()])) {
      if (dirname(each) !== path) continue
      const inode = this.#names.get(each)
      if (inode === undefined) this.#durable.delete(each)
      else this.#durable.set(each, inode)
    }
  }

  async open(path: string) {
    this.#alive()
    const inode = this.#names.get(path)
    if (inode === undefined || inode === 'directory') throw failure('ENOENT')
    return {
      write: async (bytes: Uint8Array, position: number) => {
        const put = (count: number) => {
          const grown = Buffer.alloc(Math.max(inode.content.length, position + count))
          inode.content.copy(grown)
          grown.set(bytes.subarray(0, count), position)
          inode.content = grown
        }
        this.#step(`write ${path} at ${position}`, () => put(Math.floor(bytes.length / 2)))
        put(bytes.length)
      },
      truncate: async (size: number) => {
        this.#step(`truncate ${path}`)
        inode.content = Buffer.from(inode.content.subarray(0, size))
      },
      sync: async () => {
        this.#step(`sync ${path}`)
        inode.synced = inode.content
      },
      close: async () => undefined,
    }
  }

  async tryLock(path: string) {
    this.#alive()
    if (this.#locks.has(path)) return null
    this.#locks.add(path)
    return {
      release: async () => {
        this.#locks.delete(path)
      },
    }
  }

  /** Changes a file behind the ledger's back. */
  tamper(path: string, change: (bytes: Buffer) => Buffer | null): void {
    const inode = this.#names.get(path)
    if (inode === undefined || inode === 'directory') throw new Error(`no file ${path}`)
    const changed = change(Buffer.from(inode.content))
    if (changed === null) this.#names.delete(path)
    else this.#names.set(path, { content: changed, synced: changed })
  }

  /** Every file, by path. */
  contents(): Map<string, Buffer> {
    return new Map(
      [...this.#names].flatMap(([path, inode]) =>
        inode === 'directory' ? [] : [[path, inode.content] as const],
      ),
    )
  }

  /** A disk of its own with what this one holds, all of it durable. */
  copy(): MemoryFiles {
    return this.afterCrash('kept', Math.random)
  }

  #step(what: string, half?: () => void): void {
    this.#alive()
    this.trace.push(what)
    const fault =
      this.full && /^(write|mkdir)/.test(what)
        ? { kind: 'error' as const, code: 'ENOSPC' }
        : this.#faults.get(this.steps)
    this.steps++
    if (fault === undefined) return
    half?.()
    if (fault.kind === 'crash') {
      this.#dead = true
      throw failure('ECRASHED')
    }
    throw failure(fault.code)
  }

  #alive(): void {
    if (this.#dead) throw failure('ECRASHED')
  }
}

export const ROOT = join('/', 'zone', 'ledger')

/** Blocks that were not synced are the new ones or the old ones (zeros past the old end), the length likewise. */
function tear(inode: Inode, keep: () => boolean): Buffer {
  const { content, synced } = inode
  if (content === synced) return Buffer.from(content)
  const length = keep() ? content.length : synced.length
  const torn = Buffer.alloc(length)
  for (let at = 0; at < length; at += BLOCK) {
    const source = keep() ? content : synced
    if (at < source.length) source.copy(torn, at, at, Math.min(at + BLOCK, length, source.length))
  }
  return torn
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`injected ${code}`), { code })
}
