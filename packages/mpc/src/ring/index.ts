export { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
export {
  affine,
  combine,
  cross,
  crossDot,
  divideUnsigned,
  dot,
  fromPlanes,
  type MaskSource,
  prefixSums,
  scaleWithin,
  shiftRight,
  sum,
  toPlanes,
  type Words,
} from './kernels.js'
