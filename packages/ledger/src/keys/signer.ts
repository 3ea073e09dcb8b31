/** Somebody who can sign: a key file, or whatever else holds a private key. */
export interface Signer {
  /** the principal's name, as enrolled; for the log's own key, the origin */
  readonly name: string
  /** verifier key text, see `parseVerifierKey` */
  readonly publicKey: string
  /** `name+hash8` of the verifier key */
  readonly keyId: string
  /** Ed25519 (RFC 8032) over the bytes: 64 bytes */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}
