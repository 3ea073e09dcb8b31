import type { Translations } from '../translate.js'

/** What the review, the policies and the disclosure check say. */
export const zhPolicy: Translations = {
  'an identifier of grade {} joins as a token alone': '{} 级的标识符只能以令牌参与连接',
  'a rule of kind token (fpe, reversible-token or a surrogate), applied before the data enters, or no use join':
    'token 类规则（fpe、reversible-token 或替代号码），在数据进入之前应用；或不要用途 join',
  'a column of grade {} may not leave as it is in the keys of groups': '{} 级的列不得原样出现在分组键中',
  'a rule for it (band, date-part, mask, …), `values: public` where everybody knows its values, or no use group':
    '为它写一条规则（band、date-part、mask 等）；取值众所周知时写 `values: public`；或不要用途 group',
  'no column may leave in rows': '没有列可按行放行',
  'synthetic or none, or columns with the use output': 'synthetic 或 none，或带用途 output 的列',
  'grade {} has no stand-in': '{} 级没有替身数据',
  'mode: none': '`mode: none`',
  'column "{}" of "{}"': '数据集“{1}”的列“{0}”',
  'dataset "{}"': '数据集“{}”',
  '{} (and {} more)': '{}（另有 {} 项）',
  'cells of the result are not safe for "{}"': '结果中有单元格未通过“{}”的披露检查',
  'column "{}" of "{}" is of a grade that does not leave in rows': '数据集“{1}”的列“{0}”的级别不允许逐行放行',
  'rows of "{}" are not released': '“{}”不放行逐行数据',
  'the policy of {} has ended': '{}的策略已到期',
  'the policy of dataset "{}" has ended': '数据集“{}”的策略已到期',
  '{} is not open to "{}"': '{}不对“{}”开放',
  '{} is not open to this purpose': '{}不对该用途开放',
  '{} is of grade {}, which does not allow the use "{}"': '{}为 {} 级，不允许用途“{}”',
  '{} is of grade {}, which never leaves through this gate': '{}为 {} 级，不得经此闸口放行',
  '{} may not be used {}': '{}不得用于{}',
  '{} may not be used to {}': '{}不得用于 {}',
  '{} may not be used for quantiles and ranks, which release one of its values':
    '{}不得用于分位数和名次，它们会放行该列中的一个值',
  '{} may not be used for its minimum or maximum, which is somebody’s value':
    '{}不得取最小值或最大值，那是某人的值',
  'a column of grade {} may not leave as it is in quantiles and ranks':
    '{} 级的列不得原样出现在分位数和名次中',
  'a rule for it (band, round, mask, …), `values: public` where everybody knows its values, or no use order':
    '为它写一条规则（band、round、mask 等）；取值众所周知时写 `values: public`；或不要用途 order',
  'a minimum, a maximum or a quantile is of something else than a column as it stands':
    '最小值、最大值或分位数的参数不是列本身',
  'a minimum, a maximum or a quantile of rows that secret keys group or bring together':
    '由秘密键分组或连接的行上的最小值、最大值或分位数',
  'a minimum, a maximum or a quantile takes replicated sharing': '最小值、最大值或分位数须用复制秘密分享',
  'a rank, or the distance to another, is below the minimum of entities':
    '名次，或与另一名次的距离，小于隐私单元的下限',
  'Write min(x), max(x) or quantile_disc(x, 0.5) of a column, and FILTER (WHERE …) for conditions.':
    '对列写 min(x)、max(x) 或 quantile_disc(x, 0.5)，条件写在 FILTER (WHERE …) 里。',
  'a quantile or a rank is over rows of which several may be one entity’s, or nobody’s':
    '分位数或名次所取的行中，可能有几行属于同一隐私单元，或不属于任何人',
  'Ask for it where every row is another entity’s: entity: row or a unique key, and joins along unique keys.':
    '只在每一行各属不同隐私单元时申请：entity: row 或唯一键，并沿唯一键连接。',
  'a rank, or the distance to another rank of the same column, is below the minimum of entities':
    '名次，或与同一列另一名次的距离，小于隐私单元的下限',
  'Ask for a rank, and for ranks so far apart, as the minimum of entities is: max(x, 10)[10].':
    '名次以及名次之间的距离须不小于隐私单元的下限，如 max(x, 10)[10]。',
  'two quantiles or ranks of one column are over rows that may be the same but for a few':
    '同一列的两个分位数或名次所取的行可能只差几行',
  'Ask for one of them, for both with the same FILTER and table, or with FILTERs that no row can both meet.':
    '只申请其中一个；或两个都用同一张表、同样的 FILTER；或用没有一行能同时满足的 FILTER。',
  'a minimum, a maximum or a quantile of a public table’s column, over rows of people, tells what one of them is joined by':
    '在有关人的行上取公开表某列的最小值、最大值或分位数，会说出其中某人以什么值连接',
  'Ask for it of the public table alone, or of a column of the protected one.':
    '只对公开表自身申请，或改用受保护表中的列。',
  '"{}" and "{}" ask for quantiles or ranks of one column, and their distance is kept in one operation alone':
    '“{}”与“{}”要同一列的分位数或名次，而其间距只在一项操作之内保证',
  'Ask for all quantiles and ranks of a column in one operation.':
    '把同一列的分位数和名次放在一项操作里申请。',
  'a minimum, a maximum or a quantile of "{}" of the reference table "{}", over rows of people, tells what one of them is joined by':
    '在有关人的行上取参照表“{1}”中列“{0}”的最小值、最大值或分位数，会说出其中某人以什么值连接',
  'Ask for it of a column of a table that is about people.': '改用有关人的表中的列。',
  'a needed approval is missing: {}': '缺少必需的审批：{}',
  'a reviewer': '审核方',
  'owner of {}': '{} 的提供方',
  'policy of {}': '{} 的策略',
  'the approval of "{}" {}': '“{}”的审批{}',
  'is for another request': '属于另一申请',
  'was revoked': '已被撤销',
  'has expired': '已过期',
  'has no run left': '已无剩余次数',
  'is for another version of a dataset': '属于数据集的另一版本',
  'a LIMIT below an aggregate picks single rows': '聚合之下的 LIMIT 会挑出单行',
  'a UNION below an aggregate mixes the entities of several tables':
    '聚合之下的 UNION 会混合多个表的隐私单元',
  'a {} below an aggregate is not defined': '聚合之下的 {} 没有定义',
  'a distinct count of chosen or compared values tells whether anybody meets the condition':
    '对经选择或比较的值去重计数，会透露是否有人满足条件',
  'a sum or an average of distinct values belongs to nobody, so its evidence is not defined':
    '去重后的求和或平均不归属任何人，无法给出证据',
  'an aggregate of aggregates ties its cells to nobody': '对聚合再聚合，单元格便无从归属',
  'DISTINCT below an aggregate unties its rows from their entities':
    '聚合之下的 DISTINCT 会使行脱离其隐私单元',
  'DISTINCT stands over an aggregate, so the evidence is not defined': 'DISTINCT 位于聚合之上，无法给出证据',
  'something filters, sorts or limits the rows that a LIMIT left': '对 LIMIT 留下的行又作了筛选、排序或截断',
  'the aggregates select among the rows in so many ways that more than {} differences would have to be checked':
    '各聚合选行的方式过多，需要检查的差集超过 {} 个',
  'the argument of a count chooses between values, so its evidence is not defined':
    'count 的参数在多个值之间选择，无法给出证据',
  'the argument of a sum or an average adds something to a product of columns':
    '求和或平均的参数在列的乘积上又加了其他项',
  'the argument of a sum or an average chooses between values, so its evidence is not defined':
    '求和或平均的参数在多个值之间选择，无法给出证据',
  'the argument of a sum or an average has a higher power, a longer product, or a sum as divisor':
    '求和或平均的参数含高次幂、过长的乘积，或以和为除数',
  'the argument of a sum or an average rounds, which compares every value with a threshold':
    '求和或平均的参数取整，等于把每个值与阈值比较',
  '{}, so the evidence is not defined': '{}，无法给出证据',
  'aggregates are joined': '对聚合结果作了连接',
  'a UNION is released': '放行的是 UNION',
  'DISTINCT stands over an aggregate': 'DISTINCT 位于聚合之上',
  'rows are released': '放行的是逐行数据',
  'the released part is not an aggregate': '放行的部分不是聚合',
  'a parameter is given that the request does not have': '给出的参数不在申请中',
  'the parameter "{}" {}': '参数“{}”{}',
  'the request has no parameter "{}"': '申请没有参数“{}”',
  'the query has {} joins, and {} are the most': '查询有 {} 个连接，至多 {} 个',
  'dataset "{}" is joined with itself {} times, and {} are the most':
    '数据集“{}”与自身连接 {} 次，至多 {} 次',
  'Name {} tables at most: leave out those that add no column, or have the owner register joined data.':
    '至多 {} 个表：去掉不增加列的表，或请所有者登记已连接的数据。',
  'Write GROUP BY, or count(*) FILTER (WHERE …), over one scan in place of a join for each case.':
    '用 GROUP BY 或 count(*) FILTER (WHERE …) 扫描一次，代替每种情形各连接一次。',
  'the rows of "{}" would single people out': '“{}”的逐行结果会指向个人',
  'Ask for {}: fewer or coarser columns, or wider conditions.': '须为{}：减少或放粗列，或放宽条件。',
  'classes of at least {} rows': '每个等价类至少 {} 行',
  'at least {} sensitive values in every class': '每个等价类至少 {} 个敏感值',
  'Submit the request again under the policy as it is.': '按现行策略重新提交申请。',
  'the plan does not read the column "{}" of "{}" as its policy\'s rule says':
    '计划读取“{1}”的列“{0}”的方式与策略规则不符',
  'rows about people that are joined or united may stand for the same person':
    '经连接或合并的逐行数据可能指向同一人',
  'rows of "{}" may stand for the same entity, so that classes of rows count nobody':
    '“{}”的多行可能属于同一隐私单元，等价类无法计人',
  'Ask for rows of one dataset, or for an aggregate: GROUP BY with count, sum or avg.':
    '只取一个数据集的行，或改为聚合：GROUP BY 加 count、sum 或 avg。',
  'Have the policy say entity: row or an entity that is a unique key, or ask for an aggregate.':
    '请策略写明 entity: row 或以唯一键为隐私单元，或改为聚合。',
  'the column "{}": {}': '列“{}”：{}',
  'a rule for numbers stands at a column of another type': '数值规则用在了其他类型的列上',
  'another rule, or no uses': '换一条规则，或不设用途',
  'is missing': '缺失',
  'is not allowed': '不被允许',
  'is of the wrong type': '类型不符',
  'is out of range': '超出范围',
  'has bounds upside down': '上下限颠倒',
  'has an empty list of values': '取值列表为空',
  'has a bound, value or default that is not of its type': '的界限、取值或默认值与其类型不符',
  'a request that is {} cannot {}': '处于 {} 状态的申请不能 {}',
  'a principal who is {} cannot {} a request': '角色为 {} 的主体不能对申请执行 {}',
  'a consumer cannot approve their own request': '使用方不得审批自己的申请',
  'an approval stands twice': '同一审批出现两次',
  '"{}" is {} and cannot approve': '“{}”是 {}，不能审批',
  'the request has no run left': '申请已无剩余次数',
  '{} is not what was signed': '{} 与所签内容不符',
  'the plan is too large': '计划过大',
  'there is no dataset "{}"': '没有数据集“{}”',
  'there is no dataset "{}"{}': '没有数据集“{}”{}',
  'the plan reads a column "{}" that "{}" does not have, or not so': '计划读取的列“{}”在“{}”中不存在或已改变',
  'the policy names a column "{}" that is not there': '策略所写的列“{}”不存在',
  'the column "{}" is not a number': '列“{}”不是数值',
  'the policy is too large': '策略文件过大',
  'this is not a complete policy': '这不是完整的策略',
  '{}; allowed: {}': '{}；允许：{}',
  'names a column that is not among the columns': '所写的列不在 columns 之中',
  'is more than are named besides the owner': '多于所有者之外所列的人数',
  'the least value is above the greatest': '最小值大于最大值',
  'output needs a release of rows': 'output 需要逐行放行',
  'is below the grade of a column (就高从严)': '低于某一列的级别（就高从严）',
  'none is for public reference data, not for grade {}': 'none 只用于公开参考数据，不用于 {} 级',
  'no column is of a grade that may leave in rows': '没有一列的级别允许逐行放行',
  'is too low for the grade': '低于该级别的要求',
  'is too loose for the grade': '宽于该级别的要求',
  'grade {} needs a reviewer': '{} 级需要审核方',
  'grade {} does not allow {}': '{} 级不允许 {}',
  'the text is nested too deeply': '文本嵌套过深',
  'the text holds no document or more than one': '文本中没有文档，或不止一份',
  'not valid YAML: {}': '不是有效的 YAML：{}',
  'aliases are not allowed': '不允许别名',
  'tags are not allowed': '不允许标签',
  'anchors are not allowed': '不允许锚点',
  'a key has to be a word': '键须是一个词',
  '"{}" cannot be a key': '“{}”不能作键',
  'the key "{}" stands twice': '键“{}”重复',
  'unknown key "{}"{}': '未知的键“{}”{}',
  'this name cannot be used': '该名称不可用',
  'is too {}': '{}',
  'large or long': '过大或过长',
  'small or short': '过小或过短',
  'an item stands twice': '有重复的项',
  'more than 10000 columns': '超过 10000 列',
  'a column named under columns': 'columns 下所列的列',
  'min at most max': 'min 不大于 max',
  '`release: rows`, or the uses join, group, filter, aggregate, order, extreme':
    '`release: rows`，或用途 join、group、filter、aggregate、order、extreme',
  'row, or {column: NAME}': 'row，或 {column: NAME}',
  'at least {}': '不低于 {}',
  'at most {}': '不多于 {}',
  'at least {} in grade {}': '{1} 级不低于 {0}',
  '{n: {}, percent: {}} or stricter in grade {}': '{2} 级不宽于 {n: {0}, percent: {1}}',
  'no use': '（无）',
  'no more than six levels': '不超过六层',
  'one document a file': '每个文件一份文档',
  'the engine gave no evidence about the entities of "{}"': '引擎没有给出“{}”的隐私单元证据',
  'the engine gave no order by the group keys': '引擎没有给出按分组键的次序',
  'the engine’s answer does not have the form of the plan': '引擎的应答与计划的形式不符',
  'YAML 1.2 or JSON': 'YAML 1.2 或 JSON',
  'the value itself': '值本身',
  'the plain value': '普通的值',
  'the value where it is used': '在使用处直接写值',
  'a plain key followed by a colon': '普通的键，后跟冒号',
  'another name; merge keys are not supported': '别的名称；不支持合并键',
  'each key once': '每个键只写一次',
  'a column’s name, 1 to 256 characters': '列名，1 至 256 个字符',
  'what the reference says': '参考文档所说的内容',

  'Aggregate once, over the rows.': '只对行聚合一次。',
  'Aggregate the product on its own: sum(a * b) + sum(c).': '乘积单独聚合：sum(a * b) + sum(c)。',
  'Allowed: {}.': '允许：{}。',
  'No purpose is allowed.': '没有允许的用途。',
  'No use of it is allowed.': '不允许以任何方式使用。',
  'Ask as a consumer whom the policy names.': '由策略所列的使用方提出申请。',
  'Ask for a new approval.': '请求新的审批。',
  'Ask for an aggregate: GROUP BY with count, sum or avg.': '改为聚合：GROUP BY 加 count、sum 或 avg。',
  'Ask for columns of grade 1, or for an aggregate.': '只取 1 级的列，或改为聚合。',
  'Ask for data of grade 1 to 3.': '只申请 1 至 3 级数据。',
  'Ask its owner for a new policy.': '请其所有者制定新的策略。',
  'Ask one query each.': '分成几条查询。',
  'Did you mean {}?': '是否指 {}？',
  'GROUP BY what the conditions compare, or ask in several requests.':
    '按条件所比较的内容分组，或分几次申请。',
  'Give bounds to numeric columns only.': '只给数值列设界限。',
  'Give each signed approval once.': '每份审批只给一次。',
  'Give the form that encodePlan writes.': '须是 encodePlan 写出的格式。',
  'Give the form that policyToJson writes.': '须是 policyToJson 写出的格式。',
  'Give {}.': '应为：{}。',
  'Have {} consent with `{}`.': '请 {} 用 `{}` 表示同意。',
  'Have {} of {} consent with `{}`.': '需要 {1} 中的 {0} 人用 `{2}` 表示同意。',
  'Have it signed by {}.': '请 {} 签名。',
  'Have others sign it.': '请其他人签名。',
  'Have providers and reviewers sign it.': '请提供方和审核方签名。',
  'Have {} of {} sign it; {} so far.': '需要 {1} 中的 {0} 人签名；已有 {2} 人。',
  'It has no parameters.': '它没有参数。',
  'Its parameters: {}.': '它的参数：{}。',
  'Join the tables first, then aggregate once.': '先连接各表，再聚合一次。',
  'Leave it: it happens by itself.': '无需操作：会自动发生。',
  'Name a column of the dataset.': '写出数据集的列。',
  'Possible now: {}.': '目前可以：{}。',
  'Round the sum: round(sum(x), 2), sum(x) // 100, CAST(sum(x) AS BIGINT).':
    '对和取整：round(sum(x), 2)、sum(x) // 100、CAST(sum(x) AS BIGINT)。',
  'Submit a new request, and have it approved.': '提交新的申请并请求审批。',
  'Submit a new request.': '提交新的申请。',
  'Submit the request again over the dataset as it is.': '按现有的数据集重新提交申请。',
  'This is for: {}.': '此操作属于：{}。',
  'Use an engine that gives the evidence which the policy demands.': '使用能给出策略所需证据的引擎。',
  'Use at most the square of a column, products of three, and columns or numbers as divisors.':
    '列至多平方，乘积至多三项，除数只用列或数。',
  'Use coarser groups or wider conditions, so that every cell has enough entities and none dominates.':
    '放粗分组或放宽条件，使每个单元格有足够的隐私单元且无人占优。',
  'Use count(DISTINCT column), or of its lower case, of several joined by ||, of parts of a date.':
    '使用 count(DISTINCT 列)，或其小写、用 || 连接的几列、日期的部分。',
  'Use count(DISTINCT …), or GROUP BY in the outer query alone.':
    '使用 count(DISTINCT …)，或只在外层 GROUP BY。',
  'Use sum and avg without DISTINCT, or count(DISTINCT …).':
    '使用不带 DISTINCT 的 sum 和 avg，或 count(DISTINCT …)。',
  'Write GROUP BY alone: its groups are distinct.': '只写 GROUP BY：其分组本不重复。',
  'Write LIMIT in the outer query alone.': '只在外层查询写 LIMIT。',
  'Write a query whose plan fits {} bytes.': '写计划不超过 {} 字节的查询。',
  'Write at most {} bytes.': '不超过 {} 字节。',
  'Write count(*) FILTER (WHERE …), or count(CASE WHEN … THEN 1 END).':
    '写成 count(*) FILTER (WHERE …)，或 count(CASE WHEN … THEN 1 END)。',
  'Write one LIMIT, after every condition and ORDER BY, over a single aggregate.':
    '只写一个 LIMIT，放在所有条件和 ORDER BY 之后，且只有一个聚合。',
  'Write one LIMIT, after every condition and ORDER BY.': '只写一个 LIMIT，放在所有条件和 ORDER BY 之后。',
  'Write sum(x) FILTER (WHERE …), or one CASE WHEN … THEN x ELSE 0 END as the whole argument or a factor of it.':
    '写成 sum(x) FILTER (WHERE …)，或以一个 CASE WHEN … THEN x ELSE 0 END 作整个参数或其因子。',
  'Write the query without it.': '去掉它。',
  'the released column "{}" mixes a sensitive value with another column, so that one value may look like many':
    '放行的列“{}”把敏感值与其他列混合，一个取值会显得像多个',
  'Release the sensitive column on its own.': '请单独放行敏感列。',
  'the rows are chosen by the sensitive column "{}" and leave without it, so that ℓ-diversity cannot be told':
    '这些行按敏感列“{}”选出，却不带该列放行，因此无法判断 ℓ-多样性',
  'Release that column with them, or do not choose by it.': '请连同该列一起放行，或不要按它选择。',
  'the rule {} of the column "{}" has not been applied to the file': '文件中的列“{1}”尚未应用规则 {0}',
  'Run `sluice desensitize --for-zone` with this policy first, and register the file that it writes.':
    '请先用此策略运行 `sluice desensitize --for-zone`，再登记它写出的文件。',
}
