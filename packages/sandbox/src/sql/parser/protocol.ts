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

export type Response =
  /** sent once, when the child is ready */
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'json'; readonly json: string }
  /** the child does not have this catalogue: ask again with its schema */
  | { readonly kind: 'unknown-catalogue' }
  | { readonly kind: 'failed'; readonly message: string }

/** The engine whose syntax trees and semantics the gate knows; another is refused. */
export const ENGINE_VERSION = 'v1.5.6'
