/** To take part in intersections: what joint computation needs beside is not loaded. */
export { PartyLedger } from '@sluice/ledger/party'
export { PreparedFile } from './prepared/prepared-file.js'
export { loadPrepared, type RunPreparedOptions, runPrepared } from './prepared/run.js'
export { type PsiResult, type RunPsiOptions, runPsi } from './psi.js'
