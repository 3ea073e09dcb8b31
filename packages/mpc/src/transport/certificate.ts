import { randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { parseVerifierKey, type Signer, verifySignature } from '@sluice/ledger/keys'

/** A certificate for one run and the private key of it, which never leaves this process's memory. */
export interface PartyCertificate {
  /** PEM */
  readonly certificate: string
  /** PEM, PKCS#8 */
  readonly privateKey: string
}

/**
 * Where a certificate carries the principal's signature: its one alternative name, a URI (RFC 5280, section 4.2.1.6)
 * of 64 bytes in base64url.
 */
const BINDING = 'sluice:principal/1/'
const BOUND = /^URI:sluice:principal\/1\/([A-Za-z0-9_-]{86})$/
const DAY = 24 * 60 * 60 * 1000
/** One day either way is for clocks that are apart. */
const VALID_DAYS = { before: 1, after: 2 }
const MAXIMUM_BYTES = 4096

/**
 * A self-signed certificate over a fresh P-256 key, in which the principal's own key signs that the fresh key speaks
 * for it: the principal's private key, which may lie in a device, is asked for one signature and never enters TLS.
 * The construction is that of libp2p's TLS handshake (specification, section "Peer authentication").
 */
export async function issueCertificate(
  signer: Signer,
  now: Date,
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<PartyCertificate> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const spki = new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey))
  const signature = await signer.sign(statement(spki))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // a positive number, whatever comes
      serialNumber: `01${Buffer.from(random(15)).toString('hex')}`,
      name: [{ CN: ['sluice party'] }],
      notBefore: new Date(now.getTime() - VALID_DAYS.before * DAY),
      notAfter: new Date(now.getTime() + VALID_DAYS.after * DAY),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: binding(signature) }])],
    },
    webcrypto as never,
  )
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    certificate: certificate.toString('pem'),
    privateKey: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  }
}

/** What certificates are made with. */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  // the library needs it, and does not load it
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/**
 * Checks that the holder of a certificate speaks for one of the principals. TLS has shown that the peer holds the
 * certificate's key; this shows whose it is.
 *
 * @param raw the certificate's DER bytes
 * @param keys verifier key texts of the principals who may be the peer
 * @returns the index of the principal in `keys`
 * @throws SluiceError PEER_UNTRUSTED
 */
export function holderOf(raw: Uint8Array, keys: readonly string[], now: Date): number {
  if (raw.length > MAXIMUM_BYTES) throw untrusted('it is too large')
  const { certificate, spki } = read(raw)
  if (now < new Date(certificate.validFrom) || now > new Date(certificate.validTo)) {
    throw untrusted('it is out of date: the certificate, or a clock, is more than a day off')
  }
  const [, bound] = BOUND.exec(certificate.subjectAltName ?? '') ?? []
  if (bound === undefined) throw untrusted('it carries no principal’s signature')
  const signature = Buffer.from(bound, 'base64url')
  const holder = keys.findIndex(key => verifySignature(parseVerifierKey(key), statement(spki), signature))
  if (holder < 0) throw untrusted('it is not signed by a party of the job')
  return holder
}

function statement(spki: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('sluice party certificate/1\0'), spki])
}

function binding(signature: Uint8Array): string {
  return BINDING + Buffer.from(signature).toString('base64url')
}

function read(raw: Uint8Array): { certificate: X509Certificate; spki: Uint8Array } {
  try {
    const certificate = new X509Certificate(raw)
    return { certificate, spki: certificate.publicKey.export({ type: 'spki', format: 'der' }) }
  } catch {
    throw untrusted('it cannot be read')
  }
}

function untrusted(reason: string): SluiceError {
  return new SluiceError('PEER_UNTRUSTED', `the peer’s certificate is refused: ${reason}`, {
    rule: 'certificate',
    remedy: 'See that every party has the key that the job names, and the right time.',
  })
}
