export type { Words } from './ring/kernels.js'
