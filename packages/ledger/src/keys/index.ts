export { KeyFile } from './key-file.js'
export { OpeningKey } from './opening-key.js'
export { OprfKey, type OprfKeyContent, type RetiredOprfKey } from './oprf-key.js'
export { SecretFile } from './secret-file.js'
export type { Signer } from './signer.js'
export {
  COSIGNATURE_KEY,
  cosignatureKey,
  isKeyName,
  NOTE_KEY,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
  verifySignature,
} from './verifier-key.js'
