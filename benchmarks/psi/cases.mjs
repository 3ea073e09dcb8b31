import { KeyFile } from '@sluice/ledger/keys'

/** One row of the report, as the others' subjects have them. */
export function row(name, metric, value, unit, peer, peerValue) {
  return {
    bench: 'psi',
    case: name,
    metric,
    value: Number(value.toPrecision(4)),
    unit,
    peer,
    peerValue: Number(peerValue.toPrecision(3)),
    ratio: Number((value / peerValue).toPrecision(3)),
  }
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

/** The key in this file, which is made where there is none. */
export function keyAt(path, name) {
  return KeyFile.open(path).catch(error => {
    if (error.code !== 'FILE_MISSING') throw error
    return KeyFile.generate(path, { name })
  })
}
