export { type LedgerReport, type VerifyOptions, verifyLedger, type Witnessed } from './ledger.js'
export { type ReceiptReport, verifyReceipt } from './receipt.js'
export { checkConsistency, checkInclusion } from './tree.js'
export { parseTrust, type Trust } from './trust.js'
