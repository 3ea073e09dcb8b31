export { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
export {
  affine,
  combine,
  cross,
  crossDot,
  dot,
  fromPlanes,
  type MaskSource,
  sum,
  toPlanes,
  type Words,
} from './kernels.js'
