import { visibleText } from '@sluice/core'
import type { Founding, KeyChange } from '@sluice/ledger'
import type { Ui } from './ui.js'

/** An entry that somebody is asked to sign: everything that the signature would stand for. */
export function entryText(entry: Founding | KeyChange, signedBy: readonly string[], ui: Ui): string {
  const signers = ['label.signers', signedBy.map(visibleText)] as const
  if (entry.kind === 'key-change') {
    const { name, role, key } = entry.principal
    return ui.fields([
      ['label.kind', `${entry.kind}: ${entry.action}`],
      ['label.name', visibleText(name)],
      ['label.role', role],
      ['label.publicKey', visibleText(key)],
      ['label.time', entry.time],
      signers,
    ])
  }
  return ui.fields([
    ['label.kind', entry.kind],
    ['label.zone', entry.zone],
    ['label.origin', visibleText(entry.origin)],
    ['label.key', visibleText(entry.logKey)],
    ['label.principals', entry.principals.map(({ role, key }) => `${role}: ${visibleText(key)}`)],
    ['label.charter', entry.charter.keyChange.join(' + ')],
    ['label.time', entry.time],
    signers,
  ])
}
