export { arena } from './arena.js'
export { receiveBaseOts, sendBaseOts } from './base-ot.js'
export { blake3Rows } from './blake3.js'
export { domainHash, domainKey } from './domain.js'
