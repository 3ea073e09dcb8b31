export { type Reveal, type RevealRecord, readReveals, recordReveal } from './reveal-log.js'
