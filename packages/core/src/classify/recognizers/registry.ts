import type { Recognizer } from '../recognizer.js'
import { address } from './address.js'
import { amount } from './amount.js'
import { bankCard } from './bank-card.js'
import { coordinate } from './coordinate.js'
import { creditCode } from './credit-code.js'
import { date } from './date.js'
import { dateOfBirth } from './date-of-birth.js'
import { email } from './email.js'
import { freeText } from './free-text.js'
import { hongKongMacauPermit } from './hong-kong-macau-permit.js'
import { identityNumber } from './identity-number.js'
import { ipAddress } from './ip-address.js'
import { landline } from './landline.js'
import { macAddress } from './mac-address.js'
import { mobile } from './mobile.js'
import { organizationName } from './organization-name.js'
import { passport } from './passport.js'
import { personName } from './person-name.js'
import { plate } from './plate.js'
import { postalCode } from './postal-code.js'
import { taiwanPermit } from './taiwan-permit.js'
import { vin } from './vin.js'

/** The recognizers that a catalogue can name. */
export const RECOGNIZERS = {
  'identity-number': identityNumber,
  'credit-code': creditCode,
  mobile,
  landline,
  'bank-card': bankCard,
  passport,
  'hong-kong-macau-permit': hongKongMacauPermit,
  'taiwan-permit': taiwanPermit,
  plate,
  vin,
  email,
  'ip-address': ipAddress,
  'mac-address': macAddress,
  'postal-code': postalCode,
  'person-name': personName,
  'organization-name': organizationName,
  address,
  'date-of-birth': dateOfBirth,
  date,
  coordinate,
  amount,
  'free-text': freeText,
} as const satisfies Readonly<Record<string, Recognizer>>

export type RecognizerName = keyof typeof RECOGNIZERS
