// A register of people who do not exist: identity numbers with right check characters and the area 70…, which was
// never issued (GB/T 2260); mobile numbers with `0000` in the middle; an example city. The same rows on every machine.
const SURNAMES = '王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗'
const GIVEN = '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平'
const DISTRICTS = ['示例东区', '示例西区', '示例南区', '示例北区']
const ISLAND = '示例岛区'
const REMARKS = ['本人到窗口登记，材料齐全。', '由家属代为办理，已核对委托书。', '经社区工作人员上门核实。']

const HEADER = 'identity_number,name,phone,sex,born,district,address,pension,remark'

/** CSV text. Every hundredth row is dirty, as real registers are; few people live on the island. */
export function registerCsv(people) {
  const random = drawsFrom(20260101)
  const lines = Array.from({ length: people }, (_, row) => line(random, row))
  return `${[HEADER, ...lines].join('\n')}\n`
}

function line(random, row) {
  const below = limit => Math.floor(random() * limit)
  const pick = items => items[below(items.length)]
  const padded = (limit, width) => String(below(limit)).padStart(width, '0')
  const day = `${1936 + below(30)}-${String(1 + below(12)).padStart(2, '0')}-${String(1 + below(28)).padStart(2, '0')}`
  const sequence = padded(1000, 3)
  const district = row % 250 === 0 ? ISLAND : pick(DISTRICTS)
  const street = `${pick(GIVEN)}${pick(GIVEN)}路`
  const isDirty = row % 100 === 99
  return [
    identityNumber(`70${padded(10_000, 4)}${day.replaceAll('-', '')}${sequence}`),
    isDirty ? '不详 ' : `${pick(SURNAMES)}${pick(GIVEN)}${below(3) > 0 ? pick(GIVEN) : ''}`,
    isDirty ? '无' : `1${pick(['38', '39', '59', '86'])}0000${padded(10_000, 4)}`,
    Number(sequence[2]) % 2 === 1 ? '男' : '女',
    day,
    district,
    `浙江省示例市${district}${street}${1 + below(200)}号`,
    (1500 + below(400_000) / 100).toFixed(2),
    pick(REMARKS),
  ].join(',')
}

/** GB 11643: the check character by ISO 7064 MOD 11-2. */
function identityNumber(head) {
  const sum = [...head].reduce((total, digit, at) => total + Number(digit) * (2 ** (17 - at) % 11), 0)
  return head + '10X98765432'[sum % 11]
}

/** Draws from 0 to 1 (mulberry32). */
function drawsFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
