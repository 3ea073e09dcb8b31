export { type RevealedFile, type RevealFileOptions, revealFile } from './reveal-file.js'
