/** What lies in a ledger's directory, beside `tile/` (C2SP tlog-tiles). */
export const CHECKPOINT = 'checkpoint'
/** one file a checkpoint that somebody cosigned, named by its size */
export const WITNESSED = 'witnessed'
/** not part of the public record: what is here is published, or about to be */
export const JOURNAL = 'journal'
export const LOCK = 'lock'
/** files that are not yet in their place; nothing here means anything after a crash */
export const TEMPORARY = 'temporary'
