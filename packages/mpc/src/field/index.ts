export {
  affine,
  combine,
  fromSigned,
  inverse,
  modulo,
  ORDER,
  reduce,
  SIGNED_BOUND,
  scaleAdd,
  sum,
  toSigned,
  uniform,
} from './kernels.js'
