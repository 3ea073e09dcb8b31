import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import { DECOYS } from './decoys.mjs'
import * as people from './people.mjs'
import { Random } from './random.mjs'

/**
 * The labelled columns: entity, how its values are made, and names that such columns have in the wild. A name of null
 * is a column whose name says nothing (`c17`).
 */
const COLUMNS = [
  [
    'identity-number',
    people.identityNumber,
    ['身份证号', 'sfzh', 'ID_CARD_NO', 'gmsfhm', '法人身份证号码', null],
  ],
  ['identity-number', people.residentNumber, ['证件号码', null]],
  ['identity-number', people.wrongIdentityNumber, ['身份证', 'applicantIdNumber']],
  ['identity-number', people.oldIdentityNumber, ['zjhm', null]],
  ['credit-code', people.creditCode, ['统一社会信用代码', 'tyshxydm', 'uscc', null]],
  ['mobile', people.mobile, ['手机号', 'lxdh', 'phone_number', 'contactMobile', null]],
  ['mobile', people.spacedMobile, ['联系电话', null]],
  ['landline', people.landline, ['固定电话', 'tel', null]],
  ['landline', people.bareLandline, ['办公电话']],
  ['bank-card', people.bankCard, ['银行卡号', 'yhkh', 'bank_card_no', null]],
  ['bank-card', people.groupedBankCard, ['收款账号', null]],
  ['passport', people.passport, ['护照号码', 'passport_no', null]],
  ['hong-kong-macau-permit', people.hongKongMacauPermit, ['港澳通行证号', 'home_return_permit', null]],
  ['taiwan-permit', people.taiwanPermit, ['台胞证号', 'taiwan_permit', null]],
  ['plate', people.plate, ['车牌号', 'cphm', 'plate_no', null]],
  ['vin', people.vin, ['车架号', 'VIN', null]],
  ['email', people.email, ['电子邮箱', 'email', null]],
  ['ip-address', people.ipAddress, ['登录IP', 'client_ip', null]],
  ['mac-address', people.macAddress, ['MAC地址', 'mac', null]],
  ['postal-code', people.postalCode, ['邮政编码', 'zip_code', null]],
  ['person-name', people.personName, ['姓名', 'xm', 'customer_name', 'fddbr', null]],
  ['organization-name', people.organizationName, ['工作单位', 'company_name', null]],
  ['address', people.address, ['家庭住址', 'jtzz', 'home_address', null]],
  ['address', people.bareAddress, ['现住址', null]],
  ['date-of-birth', people.day, ['出生日期', 'csrq', 'dob', null]],
  ['date-of-birth', people.chineseDay, ['出生年月日']],
  ['date', people.moment, ['创建时间', 'updated_at', null]],
  ['date', people.slashedDay, ['登记日期']],
  ['coordinate', people.longitude, ['经度', 'lng', null]],
  ['coordinate', people.position, ['坐标', null]],
  ['amount', people.money, ['月收入', 'salary', 'je', null]],
  ['amount', people.markedMoney, ['报销金额', null]],
  ['free-text', people.freeText, ['备注', 'complaint', null]],
  ['health', people.illness, ['诊断结果', 'diagnosis']],
  ['gender', people.sex, ['性别', 'sex']],
  ['age', people.age, ['年龄', 'age']],
]

/** Every column is a bit dirty; one in three is more so. */
const DIRT = [0.005, 0.05, 0.2]

/**
 * A register of people who do not exist, columns with labels, and decoys among them.
 *
 * @param {{ rows: number, seed: number, only?: readonly string[] }} options `only`: columns of these names alone
 * @returns {{ table: Table, labels: { name: string, entity: string | null, named: boolean }[] }}
 */
export function makeRegister({ rows, seed, only }) {
  const random = new Random(seed)
  const columns = {}
  const labels = []
  const add = (name, entity, named, make) => {
    if (only !== undefined && !only.includes(name)) return
    const dirt = DIRT[labels.length % DIRT.length]
    columns[name] = vectorFromArray(
      Array.from({ length: rows }, (_, row) => dirty(random, dirt, make(random, row))),
      new Utf8(),
    )
    labels.push({ name, entity, named })
  }
  for (const [entity, make, names] of COLUMNS) {
    for (const name of names) add(name ?? `c${labels.length}`, entity, name !== null, make)
  }
  for (const [name, make] of Object.entries(DECOYS)) add(name, null, true, make)
  for (const [name, make] of Object.entries(DECOYS)) {
    // the same values where no name warns of them
    if (/^[a-z_0-9]+$/.test(name)) add(`c${labels.length}`, null, false, make)
  }
  return { table: new Table(columns), labels }
}

/** Nulls, empty cells, spaces, cut and repeated characters, words for nothing, full-width digits. */
function dirty(random, share, value) {
  if (!random.happens(share)) return value
  switch (random.whole(0, 6)) {
    case 0:
    case 1:
      return null
    case 2:
      return ''
    case 3:
      return ` ${value} `
    case 4:
      return value.slice(0, -1)
    case 5:
      return random.pick(['无', '不详', '-', 'NULL', '0'])
    default:
      return value.replace(/[0-9]/g, digit => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))
  }
}

/**
 * Precision and recall of a classification against the labels, over columns that are named after what they hold, over
 * those that are not, and over all. A column is a hit where the entity is the label; a decoy has none.
 */
export function judge(classification, labels) {
  const found = new Map(classification.columns.map(column => [column.name, column.entity?.entity ?? null]))
  const over = wanted => {
    const chosen = labels.filter(wanted)
    const claimed = chosen.filter(label => found.get(label.name) !== null)
    const hits = chosen.filter(label => label.entity !== null && found.get(label.name) === label.entity)
    const held = chosen.filter(label => label.entity !== null)
    return {
      columns: chosen.length,
      precision: claimed.length === 0 ? 1 : hits.length / claimed.length,
      recall: held.length === 0 ? 1 : hits.length / held.length,
      mistakes: chosen
        .filter(label => found.get(label.name) !== label.entity)
        .map(label => ({ ...label, found: found.get(label.name) })),
    }
  }
  const decoys = labels.filter(label => label.entity === null)
  return {
    all: over(() => true),
    named: over(label => label.named),
    unnamed: over(label => !label.named),
    decoysTaken: decoys.filter(label => found.get(label.name) !== null).length,
    decoys: decoys.length,
  }
}
