import { SluiceError } from '@sluice/core'
import { z } from 'zod'

/** What the gate asks its child; one request at a time. */
export type Request =
  | { readonly kind: 'serialize'; readonly text: string }
  /** `schema` is sent when the child does not have that catalogue yet */
  | {
      readonly kind: 'bind'
      readonly text: string
      readonly catalogue: string
      readonly schema?: readonly string[]
    }

const response = z.discriminatedUnion('kind', [
  /** sent once, when the child is ready */
  z.strictObject({ kind: z.literal('ready'), version: z.string() }),
  z.strictObject({ kind: z.literal('json'), json: z.string() }),
  /** the child does not have this catalogue: ask again with its schema */
  z.strictObject({ kind: z.literal('unknown-catalogue') }),
  z.strictObject({ kind: z.literal('failed'), message: z.string() }),
])
export type Response = Readonly<z.infer<typeof response>>

/** @throws SluiceError ENGINE_FAILED: the child parsed a hostile text, and may say anything */
export function readResponse(value: unknown): Response {
  const parsed = response.safeParse(value)
  if (parsed.success) return parsed.data
  throw new SluiceError('ENGINE_FAILED', 'the process that parses queries sent what is no answer', {
    rule: 'child-protocol',
    remedy: 'Submit it again; if it happens again, write a simpler query.',
  })
}

/** The engine whose syntax trees and semantics the gate knows; another is refused. */
export const ENGINE_VERSION = 'v1.5.6'
