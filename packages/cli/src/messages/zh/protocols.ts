import type { Translations } from '../translate.js'

/** What protocols on shares refuse, and protocols of intersection. */
export const zhProtocols: Translations = {
  'zero has no inverse': '零没有逆元',
  'A value is too large for the field of order 2^61 − 1': '有值超出 2^61 − 1 阶域',
  'The dealer and the parties do not fit': '分发方与参与方不相符',
  'Take 2 to {} parties, and a dealer who is none of them.': '请取 2 至 {} 个参与方，分发方不得是其中之一。',
  'A minimum of entities above {} cannot be tested here': '此处无法检验大于 {} 的实体下限',
  'Use three parties with replicated sharing, whose comparison has no such limit.':
    '请采用三方复制秘密共享，其比较没有此限制。',
  'the protocol needs more correlated randomness than was prepared': '协议所需的相关随机数多于已准备的',
  'Ask for fewer digits.': '请减少位数。',
  'Ask for 0 to {} digits.': '请要求 0 至 {} 位。',
  'the fraction has not 0 to {} digits': '小数位数不在 0 至 {} 之内',
  'digits is negative, or the root has more than 58': '位数为负，或根超过 58 位',
  'there are more than {} groups': '分组多于 {} 个',
  'Allow more groups, or group by a coarser key.': '请允许更多分组，或按更粗的键分组。',
  'the minimum is below 1': '下限小于 1',
  'Give a minimum of 1 or more.': '请给出不小于 1 的下限。',
  'the parties’ shares do not make a bit': '各方的分片不构成一个比特',
  'the parties’ shares do not make a permutation': '各方的分片不构成一个置换',
  'See that all parties run the same version; then everybody starts the job again.':
    '请确认各方版本相同，然后各方重新开始任务。',
  'entities are counted for all measures alike, and one has rows without a value':
    '各指标的实体统一计数，而其中一个指标有行缺值',
  'Group by that measure alone, with its presence as `where`.':
    '请单独对该指标分组，并以其是否有值作为 `where`。',
  'The edges of a histogram do not rise': '直方图的边界没有递增',
  'the keys of the two sides differ in kind': '两侧的键种类不同',
  'Give keys of the same sizes, in the same order.': '请按相同次序给出相同大小的键。',
  'a key of the right side is there twice': '右侧有重复的键',
  'Group the right side by its key first.': '请先按键对右侧分组。',
  'a fraction is not within 0 and 1': '有比例不在 0 与 1 之间',
  'Give whole numbers, the denominator at most 1000000.': '请给出整数，分母至多 1000000。',
  'k is not 1 to the number of rows': 'k 不在 1 与行数之间',
  'Ask for one of the rows that there are.': '请要求存在的行。',
  'The coefficients have more digits than the ring holds': '系数的位数超出环所能容纳',
  'Give one explaining column at least; ask for fewer digits, or give a lower bound.':
    '请至少给出一个解释列；减少位数，或给出更小的界。',
  'The columns have too many rows for their bound': '对于所声明的界，列的行数过多',
  'Rows times the square of the bound stay below 2^58: give a lower bound, or larger units.':
    '行数乘以界的平方须小于 2^58：请给出更小的界，或使用更大的单位。',
  'The result has more digits than the ring holds': '结果的位数超出环所能容纳',
  'Ask for fewer digits, or give a lower bound.': '请减少位数，或给出更小的界。',
  'there is no key to sort by': '没有排序键',
  'Name at least one key.': '请至少指定一个键。',
  'a key has not 1 to 64 bits': '有键不是 1 至 64 位',
  'State for each key how many bits its values have, at most 64.': '请说明每个键的值有多少位，至多 64。',
  'the keys differ in length': '各键长度不同',
  'Give keys of the same rows.': '请给出行数相同的键。',
  'the columns to sort differ in length': '要排序的列长度不同',
  'Give columns of the same rows.': '请给出行数相同的列。',
  'there are {} rows to sort, and at most {}': '要排序的有 {} 行，至多 {} 行',
  'Filter or aggregate the rows at their owners first.': '请先由各所有者筛选或聚合各行。',
  '{} is not within {}': '{} 不在 {} 之内',
  'Give an integer of {}.': '请给出 {} 的整数。',
  'Products of {} parties need a lower threshold': '{} 方的乘积需要更低的门限',
  'Take a threshold t such that 2t − 1 parties take part, or have sums alone.':
    '请取门限 t，使 2t − 1 方参与，或只求合计。',
  '{} parties are left, and {} are needed': '只剩 {} 方，而需要 {} 方',
  'See what the terminals of the others say; then every party starts the job again.':
    '请查看其他各方终端的内容，然后各方重新开始任务。',
  'The shares that arrived do not fit each other': '收到的分片彼此不相符',
  'Ask every operator which version runs there; then every party starts the job again.':
    '请询问各方所用版本，然后各方重新开始任务。',
  'The threshold does not fit {} parties': '门限与 {} 个参与方不相符',
  'Take at most {} parties, and a threshold of at least 2 and at most their number.':
    '请至多取 {} 个参与方，门限至少为 2 且不超过其数目。',
  'the intersection needs more memory than there is': '求交所需内存超过可用内存',
  'Run it in buckets, or on a machine with more memory.': '请分桶运行，或换用内存更大的机器。',
  'the items of this side did not fit into their bins': '本方的条目未能放入各箱',
  'the items of this side could not be encoded': '本方的条目未能编码',
  'Start the job again on both sides: with distinct items this happens once in 2^40 runs.':
    '请双方重新开始任务：条目互不相同时，2^40 次运行才发生一次。',
  'no key came of this seed': '该种子未得出密钥',
  'the planes are not those of the column': '位平面不属于该列',
  'the kernels need a little-endian processor': '计算内核需要小端处理器',
  'two columns differ in length': '两列长度不同',
  '"{}" refuses this party’s certificate': '“{}”拒绝本方的证书',
  'See that the job there names the key that this party uses, and that both clocks are right.':
    '请确认对方的任务所列的正是本方使用的密钥，且双方时钟正确。',
  'Say which party this is with --as NAME, or name its key with --key-file FILE.':
    '请用 --as 名称 说明本方是谁，或用 --key-file 文件 指明其密钥。',
  'there is no ledger in {}': '{} 中没有账本',
  '"{}" is no witness of its own ledger': '“{}”不能见证自己的账本',
  'Have another party of its runs cosign, or an auditor, with their own key.':
    '请由其任务的其他参与方或监管方用各自的密钥联署。',
  'Name a zone, or a party’s record such as NAME.ledger.': '请指明专区，或参与方的记录，例如 NAME.ledger。',
  'there is no approval of this job by "{}" at {}': '{1} 处没有“{0}”对此任务的审批',
  'Read the job with `sluice joint show`, then sign it with `sluice joint approve {} --as {}`.':
    '请用 `sluice joint show` 阅读任务，再用 `sluice joint approve {} --as {}` 签署。',
  'Read the job with `sluice psi show`, then sign it with `sluice psi approve {} --as {}`.':
    '请用 `sluice psi show` 阅读任务，再用 `sluice psi approve {} --as {}` 签署。',
}
