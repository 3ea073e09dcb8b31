/**
 * Values of a register of people who do not exist. Numbers have the form and the check characters of real ones and
 * parts that nobody was given: identity numbers and credit codes have the city `99` of their province, which was never
 * issued; mail is at `example` (RFC 2606), addresses lie in 示例市, IP addresses are for documentation (RFC 5737), MAC
 * addresses too (RFC 9542). For mobile numbers and cards no such range exists: theirs have `0000` in the middle.
 *
 * Each maker takes a `Random` and gives a text.
 */
const PROVINCES = [11, 12, 13, 21, 31, 32, 33, 34, 35, 37, 41, 42, 43, 44, 45, 50, 51, 53, 61, 62, 65]
const SURNAMES =
  '王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁于蒋蔡余杜叶程苏魏吕丁任沈'
const GIVEN =
  '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文玉兰飞红建国志春梅云龙鑫宇浩然子涵梓轩欣怡佳琪俊晨思雨'

export const identityNumber = random => {
  const head = `${random.pick(PROVINCES)}99${pad(random.whole(1, 99), 2)}${compactDay(random)}${random.digits(3)}`
  return head + mod11(head)
}
/** Of people from Hong Kong, Macau and Taiwan, and of foreigners with permanent residence. */
export const residentNumber = random => {
  const area = random.pick(['810000', '820000', '830000', `9${random.pick(PROVINCES)}${random.digits(3)}`])
  const head = `${area}${compactDay(random)}${random.digits(3)}`
  return head + mod11(head)
}
/** As test data often are: everything right but the check character. */
export const wrongIdentityNumber = random => identityNumber(random).slice(0, 17) + random.digits(1)
export const oldIdentityNumber = random =>
  `${random.pick(PROVINCES)}99${pad(random.whole(1, 99), 2)}${compactDay(random).slice(2)}${random.digits(3)}`
export const creditCode = random => {
  const head = `9${random.pick('123')}${random.pick(PROVINCES)}99${random.digits(2)}MA${random.text(7, CREDIT)}`
  const sum = [...head].reduce((total, character, i) => total + CREDIT.indexOf(character) * (3 ** i % 31), 0)
  return head + CREDIT[(31 - (sum % 31)) % 31]
}
export const mobile = random =>
  `1${random.pick(['38', '39', '50', '59', '77', '86', '88', '99'])}0000${random.digits(4)}`
export const spacedMobile = random =>
  mobile(random).replace(/(...)(....)(....)/, random.happens(0.5) ? '$1 $2 $3' : '+86 $1-$2-$3')
export const landline = random =>
  `0${random.pick(['10', '21', '571', '755', '28'])}-${random.whole(2, 8)}${random.digits(7)}`
export const bareLandline = random => landline(random).replace('-', '')
export const bankCard = random => {
  const head = `62${random.digits(4)}0000${random.digits(random.pick([5, 8]))}`
  const sum = [...head]
    .reverse()
    .reduce((total, digit, i) => total + (i % 2 ? +digit : +digit < 5 ? 2 * +digit : 2 * +digit - 9), 0)
  return head + ((10 - (sum % 10)) % 10)
}
export const groupedBankCard = random => bankCard(random).replace(/(....)(?=.)/g, '$1 ')
export const passport = random =>
  random.happens(0.5) ? `E${random.digits(8)}` : `E${random.pick('ABCDEFGHJK')}${random.digits(7)}`
export const hongKongMacauPermit = random =>
  `${random.pick('HM')}${random.digits(8)}${random.happens(0.3) ? '00' : ''}`
export const taiwanPermit = random => random.digits(8)
export const plate = random => {
  const place = `${random.pick('京津沪冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋陕闽贵粤川')}${random.pick('ABCDEFGH')}`
  return random.happens(0.3)
    ? `${place}D${random.digits(5)}`
    : `${place}${random.text(4, PLATE)}${random.digits(1)}`
}
export const vin = random => {
  const head = `L${random.text(7, VIN)}`
  const tail = random.text(4, VIN) + random.digits(4)
  const sum = [...`${head}0${tail}`].reduce(
    (total, c, i) => total + vinValue(c) * [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2][i],
    0,
  )
  return `${head}${'0123456789X'[sum % 11]}${tail}`
}
export const email = random =>
  `${random.text(random.whole(3, 9), LETTERS)}${random.digits(2)}@example.${random.pick(['com', 'org', 'net'])}`
export const ipAddress = random =>
  random.happens(0.8)
    ? `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.whole(0, 255)}`
    : `2001:db8::${random.whole(1, 65535).toString(16)}`
export const macAddress = random => `00:00:5e:00:53:${random.whole(0, 255).toString(16).padStart(2, '0')}`
export const postalCode = random => `${pad(random.whole(1, 85), 2)}${random.digits(4)}`
export const personName = random =>
  random.happens(0.02)
    ? `${random.text(3, GIVEN)}·${random.text(3, GIVEN)}`
    : `${random.happens(0.02) ? '欧阳' : random.pick(SURNAMES)}${random.text(random.whole(1, 2), GIVEN)}`
export const organizationName = random =>
  `示例${random.text(3, GIVEN)}${random.pick(['科技', '贸易', '建筑'])}有限公司`
export const address = random =>
  `${random.pick(['浙江省', '广东省', '四川省'])}示例市${random.pick(['样本', '测试'])}区${random.text(2, GIVEN)}路${random.whole(1, 999)}号${random.happens(0.5) ? `${random.whole(1, 30)}幢${random.whole(101, 2904)}室` : ''}`
export const bareAddress = random =>
  `示例区${random.text(2, GIVEN)}街道${random.text(2, GIVEN)}路${random.whole(1, 99)}号`
export const day = random => compactDay(random).replace(/(....)(..)(..)/, '$1-$2-$3')
export const slashedDay = random => day(random).replaceAll('-', '/')
export const chineseDay = random => day(random).replace(/(.*)-(.*)-(.*)/, '$1年$2月$3日')
export const moment = random =>
  `20${pad(random.whole(10, 25), 2)}-${pad(random.whole(1, 12), 2)}-${pad(random.whole(1, 28), 2)} ${pad(random.whole(0, 23), 2)}:${pad(random.whole(0, 59), 2)}:${pad(random.whole(0, 59), 2)}`
export const longitude = random => (73 + random.next() * 62).toFixed(6)
export const latitude = random => (4 + random.next() * 49).toFixed(6)
export const position = random => `${longitude(random)},${latitude(random)}`
export const money = random => Math.exp(6 + 3 * random.next()).toFixed(2)
export const markedMoney = random => `${random.happens(0.5) ? '¥' : ''}${money(random)}元`
export const freeText = random =>
  `${Array.from(
    { length: random.whole(2, 5) },
    () =>
      `${random.pick(['申请人反映', '经核实', '当事人称', '工作人员已'])}${random.text(random.whole(4, 14), GIVEN)}`,
  ).join('，')}。`
export const illness = random => random.pick(['高血压', '2型糖尿病', '骨折', '上呼吸道感染', '冠心病'])
export const sex = random => random.pick('男女')
export const age = random => String(random.whole(0, 99))

const CREDIT = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const PLATE = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789'
const VIN = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

function compactDay(random) {
  return `${random.whole(1930, 2015)}${pad(random.whole(1, 12), 2)}${pad(random.whole(1, 28), 2)}`
}

function mod11(head) {
  const sum = [...head].reduce((total, digit, i) => total + +digit * (2 ** (17 - i) % 11), 0)
  return '10X98765432'[sum % 11]
}

function vinValue(character) {
  if (character <= '9') return +character
  const at = 'ABCDEFGH'.indexOf(character)
  if (at >= 0) return at + 1
  const second = 'JKLMN.P.R'.indexOf(character)
  return second >= 0 ? second + 1 : 'STUVWXYZ'.indexOf(character) + 2
}

function pad(number, width) {
  return String(number).padStart(width, '0')
}
