import { Translator } from './translate.js'

/** What `--help` says, in Chinese; what commands and options are called stays. */
export const zhHelp = new Translator({
  'apply a policy’s rules to a Parquet, CSV or Arrow file (脱敏); needs no zone':
    '对 Parquet、CSV 或 Arrow 文件应用策略中的脱敏规则；不需要专区',
  'the policy whose columns carry the rules': '各列带有规则的策略',
  'where the result goes: .parquet, .csv or .arrow, else as the file is':
    '结果写到何处：.parquet、.csv 或 .arrow，否则与原文件相同',
  'the result enters a zone under this policy: apply the rules that its scans cannot, and leave the rest to them':
    '结果将按此策略进入专区：只应用扫描做不到的规则，其余留给扫描',
  'the dataset’s name, to which encrypted cells are bound (default: the file’s)':
    '数据集名称，加密的单元格与之绑定（默认：文件名）',
  'a secret that keyed rules name, and its file; may stand several times':
    '密钥规则所用的名称及其密钥文件；可出现多次',
  'give a consumer a stand-in to develop against (可用不可见), as the policy allows':
    '按策略允许的方式，向使用方交出用于开发的替身数据（可用不可见）',
  'so many rows at most (default: as many as the policy allows)': '至多多少行（默认：策略允许的行数）',
  'to whom it is given (default: the policy’s one consumer)': '交给谁（默认：策略中唯一的使用方）',
  'where it goes: .parquet, .csv or .arrow; its statement is put beside it':
    '写到何处：.parquet、.csv 或 .arrow；说明文件写在旁边',
  'longest time that each run may take, such as 5m': '每次运行的最长时间，如 5m',
  'consent to stand-ins under the policy in force, where it asks for more than the owner':
    '同意在现行策略下交出替身数据，适用于策略除所有者外还要求他人时',
  'until when: a span such as 90d, or a time': '有效期至：如 90d 的时长，或某一时间',
  'the reviewer’s key, or that of whom the policy names': '审核方或策略所指名者的密钥',
  'nothing beside the file states that rules with keys were applied; the ledger will say so':
    '文件旁没有说明密钥类规则已应用；账本会如实记录',
  'of a CSV file': 'CSV 文件的编码',
  'how the parties share values': '各方如何分享数值',
  'The gate of a data zone (数据专区): only approved queries run, only checked results leave, with proof.':
    '数据专区的闸口：只运行经过审批的查询，只放行通过检查的结果，并留下凭证。',
  'totals over encrypted contributions: nobody but the key holder can open, and only the sum':
    '对加密数据求和：只有密钥持有者能打开，且只能打开总和',
  'check that a query fits, choose parameters, and make the keys of one aggregation':
    '检查查询是否适用，选定参数，生成一次聚合的密钥',
  'what an aggregation says: who contributes, what is computed, what may be opened':
    '聚合的内容：由谁提供数据、计算什么、可打开什么',
  'compute a contributor’s cells from its Parquet, CSV or Arrow file, encrypt and sign them':
    '由提供数据方的 Parquet、CSV 或 Arrow 文件计算其单元格，加密并签名',
  'check the contributions, add them, and sign the list of those that went in':
    '检查各份数据，相加，并签署所含清单',
  'add the contributions again, and sign that the sum is theirs; needs no key to the data':
    '重新相加各份数据，并签名证明总和无误；不需要数据密钥',
  'open an approved, audited sum, and release what passes the checks':
    '打开已批准并经审计的总和，放行通过检查的内容',
  'run it as this homomorphic aggregation (`sluice he keygen`)': '按此同态聚合运行（`sluice he keygen`）',
  'where aggregation.json, public.key and secret.key go':
    'aggregation.json、public.key 和 secret.key 写到何处',
  'what was agreed on': '约定的内容',
  'the key holder’s public key': '密钥持有者的公钥',
  'the key holder’s key': '密钥持有者的密钥',
  'the contributor’s key': '提供数据方的密钥',
  'the adder’s key': '求和方的密钥',
  'the auditor’s key': '监管方的密钥',
  'the auditor’s file': '监管方的文件',
  'the key of the zone’s operator': '专区运营方的密钥',
  'the approved request': '已批准的申请',
  'the secret key of this aggregation; it opens one sum': '此次聚合的私钥；只打开一个总和',
  'where the contribution goes': '数据写到何处',
  'where the sum goes': '总和写到何处',
  'where the audit goes': '审计结果写到何处',
  'a principal’s signatures, or the keyed rules of `desensitize`':
    '用于主体的签名，或 `desensitize` 的密钥规则',
  'make an Ed25519 key in a file of mode 600, encrypted with a passphrase, and its public half beside it; or a secret for keyed rules':
    '建立 Ed25519 密钥文件（权限 600，以口令加密），公钥放在旁边；或建立密钥规则的秘密',
  'the principal whose key it is; required for one': '密钥所属的主体；主体密钥必填',
  'do not encrypt it; a secret for keyed rules never is': '不加密；密钥规则的秘密从不加密',
  'open what keyed rules have closed, on the record; the provider’s own, needs no zone':
    '还原密钥规则所遮蔽的内容并记录在案；由提供方自己使用，不需要专区',
  'open reversible tokens, or encrypted cells, after recording who opens them and why':
    '先记录由谁、为何还原，再还原可逆令牌或加密单元格',
  'the column that holds them': '所在的列',
  'the secret under which they were made': '生成时所用的秘密',
  'the join domain of reversible tokens': '可逆令牌的连接域',
  'the dataset of encrypted cells': '加密单元格的数据集',
  'of encrypted cells': '加密单元格的算法',
  'the record, to which a signed line is added': '记录文件，追加一行签名记录',
  'the key of who opens': '还原者的密钥',
  'where the opened copy goes: .parquet, .csv or .arrow, else as the file is':
    '还原后的副本写到何处：.parquet、.csv 或 .arrow，否则与原文件相同',
  'check the record of what was opened, and show it': '核验并显示还原记录',
  'generalize and suppress until every class meets a model, and report the risk that is left':
    '泛化与抑制，直到每个等价类符合模型，并报告剩余风险',
  'roles of the columns, hierarchies, k and the other criteria': '各列的角色、泛化层次、k 及其他准则',
  'where the table goes: .parquet, .csv or .arrow': '表写到何处：.parquet、.csv 或 .arrow',
  'write the report there: .html with charts, or .json': '把报告写到此处：.html（含图表）或 .json',
  'most memory that the engine may use, such as 4GB': '引擎可用的最大内存，如 4GB',
  'print the version': '显示版本',
  'show what a command does': '显示命令的用法',
  'the zone (else SLUICE_ZONE, else the nearest one at or above this directory)':
    '数据专区（否则用 SLUICE_ZONE，再否则为当前目录或其上级中最近的专区）',
  'print one JSON document on stdout and nothing else, errors too': '标准输出只有一个 JSON 文档，错误也是',
  'language of what is printed (else the locale)': '输出的语言（否则按区域设置）',
  'how long to wait for another process that changes the zone (default: 30s)':
    '等待另一进程改完专区的时长（默认 30s）',
  'progress on stderr': '在标准错误显示进度',
  'record a signature that was made elsewhere, or sign here where the key is at hand':
    '记录在别处所作的签名；密钥在手边时也可在此签名',
  'what `sluice sign` wrote': '`sluice sign` 写出的文件',
  'the approver’s key': '审批者的密钥',
  '{} (else SLUICE_KEY_FILE)': '{}（否则用 SLUICE_KEY_FILE）',
  '{}; may stand several times (else SLUICE_KEY_FILE)': '{}；可多次给出（否则用 SLUICE_KEY_FILE）',
  '{}; may stand several times': '{}；可多次给出',
  '{}; - is stdout': '{}；- 表示标准输出',
  'with --key: how long the approval stands (default: 30d)': '与 --key 同用：审批的有效期（默认 30d）',
  'with --key: runs that are allowed': '与 --key 同用：允许的运行次数',
  'with --key: stand for later versions of the dataset too': '与 --key 同用：对数据集的后续版本同样有效',
  'a script that completes commands and options in a shell': '供 shell 补全命令和选项的脚本',
  'register data under a policy, version by version': '在策略之下登记数据，逐版本管理',
  'register a Parquet, CSV or Arrow file as a new dataset, signed by its owner':
    '把 Parquet、CSV 或 Arrow 文件登记为新数据集，由其所有者签名',
  'the data; its format is told by its content': '数据文件；格式由内容判定',
  'its policy, YAML or JSON': '策略，YAML 或 JSON',
  'who owns it; checked against the key': '所有者；与密钥核对',
  'the owner’s key': '所有者的密钥',
  'register a file as the next version; its columns have to be the same': '把文件登记为下一版本；列须相同',
  'the data': '数据文件',
  'a new policy with it (default: the one in force)': '同时更换策略（默认沿用现行策略）',
  'the columns may differ; requests for the old ones are void': '允许列不同；针对旧列的申请随之失效',
  'nothing runs on it any more; its file is deleted, its record stays': '不再对其运行；文件删除，记录保留',
  'what is registered': '已登记的数据集',
  'its columns, and what its policy allows with each; never a value':
    '它的列，以及策略对每列的许可；从不显示数据',
  'what this machine gives: Node, engine, isolation, memory limit, disk, permissions':
    '本机的条件：Node、引擎、隔离方式、内存限制、磁盘、文件权限',
  'make a zone; an operator, a provider and an auditor sign its first entry together':
    '建立数据专区；运营方、提供方和监管方共同签署第一个条目',
  'key of the operator (运营方)': '运营方的密钥',
  'key of a data provider (数据提供方)': '数据提供方的密钥',
  'key of the auditor (监管方)': '监管方的密钥',
  'name of its ledger in checkpoints (default: a random one)': '检查点中的账本名称（默认随机）',
  'where keys lie on several machines: write the founding, for the others to sign; the files above may then be public keys':
    '密钥分处多台机器时：写出创建文件，供其他人签名；此时上述文件可以是公钥',
  'with --out: a key that is at hand': '与 --out 同用：手边的密钥',
  'the founding that everybody has signed: make the zone of it': '各方均已签名的创建文件：据此建立专区',
  'make keys, and look at them; they never enter a zone': '建立和查看密钥；密钥从不进入专区',
  'make an Ed25519 key in a file of mode 600, encrypted with a passphrase, and its public half beside it':
    '建立 Ed25519 密钥文件（权限 600，以口令加密），公钥放在旁边',
  'the principal whose key it is': '密钥所属的主体',
  'do not encrypt it': '不加密',
  'do not encrypt the secret key': '不加密私钥',
  'the name and the public key of a key file': '密钥文件的名称和公钥',
  'verify a zone, a copy of its ledger, or a receipt, with code that shares nothing with the writer; needs no zone and no database':
    '验证专区、其账本的副本或回执，所用代码与写入方不共用；不需要专区和数据库',
  'the keys to verify with, from outside the zone (its trust.json as handed out)':
    '用于验证的密钥，来自专区之外（发出的 trust.json）',
  'the checkpoint that you saw last; what is verified has to continue it':
    '您上次所见的检查点；所验证的须是其延续',
  'hashes and checkpoints only, without the signatures of entries': '只验证哈希和检查点，不验证条目的签名',
  'keep the verified checkpoint there, for --since': '把验证过的检查点保存到此处，供 --since 使用',
  'read, verify and witness the record': '查看、验证和见证记录',
  'the entries of the zone’s ledger, or of the one in a directory: a party’s own record, a copy':
    '专区账本的条目，或某目录中账本的条目：参与方自己的记录、副本',
  'begin with this entry': '从此条目开始',
  'at most as many': '至多显示的条数',
  'the proof that an entry is in the zone’s ledger, or in the one in a directory: anybody can check it offline':
    '条目在专区账本（或某目录中的账本）中的证明：任何人都可离线核验',
  'where to': '写到何处',
  'the newest signed checkpoint of the zone’s ledger, or of the one in a directory, for a witness to keep':
    '专区账本（或某目录中的账本）最新的签名检查点，供见证者保存',
  'witness the newest checkpoint of the zone’s ledger, or of a party’s own: from here on a rollback behind it is noticed':
    '见证专区账本（或参与方自己的账本）最新的检查点：此后回退到它之前都会被发现',
  'the key of a provider or an auditor; of anybody else where it is a party’s own':
    '提供方或监管方的密钥；参与方自己的账本则用其他任何人的密钥',
  'the checkpoint that you kept last time; what you sign has to continue it':
    '您上次保存的检查点；所签的须是其延续',
  'keep the cosigned checkpoint there, outside the zone': '把联署的检查点保存到此处，放在专区之外',
  'replace a file that exists': '覆盖已有的文件',
  'how the table is written (default: table; of a file, by its name)':
    '表的输出格式（默认 table；写文件时按文件名）',
  'check policies, and put them in force': '检查策略，使其生效',
  'read a policy and say what is wrong with it; needs no zone': '读取策略并指出问题；不需要专区',
  'put another policy in force for a dataset; requests under the old one are void':
    '为数据集更换策略；旧策略下的申请随之失效',
  'the JSON Schema of policies, for editors': '策略的 JSON Schema，供编辑器使用',
  'enrol, rotate and remove keys, signed by those whom the zone’s charter names':
    '登记、轮换和移除密钥，由专区章程所列者签名',
  'enrol a principal': '登记主体',
  'what it may do': '角色',
  'a file with its public key, or its key file’s first lines': '含公钥的文件，或其密钥文件的前几行',
  'replace a principal’s key by another of the same name': '用同名的另一密钥替换主体的密钥',
  'a file with the new public key': '含新公钥的文件',
  'a removed principal signs nothing any more': '移除主体；此后它不能再签任何内容',
  'record a change of keys that everybody needed has signed (see `sluice sign`)':
    '记录所需各方均已签名的密钥变更（见 `sluice sign`）',
  'everybody who is or was enrolled': '现在和曾经登记的全部主体',
  'a key of each role that the charter names': '章程所列各角色的密钥',
  'do not record it; write it, signed so far, for others to sign': '不记录；写出已签部分，供他人继续签名',
  'somebody who could have approved says no; the request is over': '有权审批者予以拒绝；申请到此为止',
  'your key': '您的密钥',
  'why, for the record': '理由，记入账本',
  'released results, again and without a run': '再次取得已放行的结果，无需运行',
  'what was released': '已放行的结果',
  'a release: its request, parameters, and what was suppressed': '某次放行：其申请、参数以及被抑制的内容',
  'a released table, compared with what the ledger holds of it': '已放行的表，与账本所记核对',
  'where the table goes': '表写到何处',
  'write the receipt there': '把回执写到此处',
  'delete a released result and its parameters; its entry in the ledger stays':
    '删除已放行的结果及其参数；账本条目保留',
  'ask for a query to be run': '申请运行查询',
  'translate, review and record a request from FILE.sql or a job (FILE.yaml)':
    '由 FILE.sql 或任务文件（FILE.yaml）翻译、审查并记录申请',
  'who asks; checked against the key': '申请者；与密钥核对',
  'what the result is for; one that the owner allows': '结果的用途；须为所有者允许',
  'declare a parameter that the query names as $name': '声明查询中写作 $name 的参数',
  'how often it may be run (default: 1)': '可运行的次数（默认 1）',
  'the consumer’s key': '使用方的密钥',
  'every request and its status': '全部申请及其状态',
  'only those': '只列出该状态',
  'a request as an approver reads it, reviewed under the policies now in force':
    '审批者所见的申请，按现行策略审查',
  'the request for those who must approve it: read and signed elsewhere by `sluice sign`':
    '导出申请交给须审批的人：在别处用 `sluice sign` 阅读并签名',
  'the consumer takes a request back': '使用方撤回申请',
  'an approver takes their approval back, or the operator or auditor voids the request; from the next run on':
    '审批者撤销审批，或运营方、监管方作废申请；从下一次运行起生效',
  'run an approved request once, and release what passes the checks':
    '运行一次已批准的申请，放行通过检查的内容',
  'the operator’s key': '运营方的密钥',
  'a value for a parameter': '参数的值',
  'where the released table goes': '放行的表写到何处',
  'write the receipt there: it can be checked offline by anybody': '把回执写到此处：任何人都可离线核验',
  'longest time that it may take, such as 5m': '最长用时，如 5m',
  'most memory that it may use, such as 4GB': '最大内存，如 4GB',
  'read, review and sign an exported request (or a founding, or a change of keys) on your own machine; needs no zone':
    '在自己的机器上阅读、审查并签署导出的申请（或创建文件、密钥变更）；不需要专区',
  'how long the approval stands: 30d, 12h or a time (default: 30d)':
    '审批的有效期：30d、12h 或某一时间（默认 30d）',
  'runs that you allow (default: what is asked for)': '允许的运行次数（默认为所申请的次数）',
  'stand for later versions of your dataset too, where its policy allows that':
    '在策略允许时，对数据集的后续版本同样有效',
  'refuse to sign anything but this request': '只签此申请，其余一概拒签',
  'sign a rejection instead': '改为签署拒绝',
  'do not ask; for a request that you have read': '不再询问；用于已阅读过的申请',
  'where the signature goes': '签名写到何处',
  'what is in the zone, and what waits for whom': '专区中的内容，以及等待何人处理的事项',

  'say what each column of a file holds, suggest grades, and draft a policy; needs no zone':
    '识别文件各字段的内容，建议级别并起草策略；无需数据专区',
  'how many rows are drawn at random (default: 100000)': '随机抽取多少行（默认：100000）',
  'look at every row': '逐行全量识别',
  'what columns can hold and how it is graded (default: GB/T 43697-2024)':
    '识别什么、如何定级的目录（默认：GB/T 43697-2024）',
  'write a draft policy there': '策略草稿写到何处',
  'the owner in the draft policy': '策略草稿中的数据提供方',
  'print the catalogue that comes with Sluice, to start one’s own from':
    '打印随附的分类分级目录，供编写自己的目录',
  'compute with other organizations on what none of them shows, over mutual TLS':
    '与其他机构联合计算各方都不出示的数据，经双向 TLS',
  'check a draft, in YAML or JSON, and make of it the job that every party signs':
    '检查 YAML 或 JSON 草稿，生成供各方签署的任务',
  'where the job goes': '任务写到何处',
  'what a job says: who takes part, whose columns, what is opened to whom':
    '任务的内容：谁参加、哪些列归谁所有、向谁打开什么',
  'sign a job as one of its parties': '以参与方身份签署任务',
  'the party’s key': '参与方的密钥',
  'where the approval goes (default: JOB.NAME.approval)': '签署文件写到何处（默认：JOB.NAME.approval）',
  'which party this is; its key is NAME.key where none is named': '以哪一方的身份；未指明密钥时用 NAME.key',
  'describe a table for a job: its columns, its number of rows and its fingerprint':
    '为任务描述一张表：各列、行数与指纹',
  'the table, a Parquet, CSV or Arrow file; it stays here': '表，Parquet、CSV 或 Arrow 文件；不会离开本机',
  'where the described input goes': '输入描述写到何处',
  'take part in a job: meet the other parties, whoever starts first, and compute':
    '参加任务：与其他方会合（启动先后无关）并计算',
  'this party’s approval of the job (default: JOB.NAME.approval)':
    '本方对任务的签署文件（默认：JOB.NAME.approval）',
  'this party’s table, a Parquet, CSV or Arrow file; NAME=FILE where it gives several':
    '本方的表，Parquet、CSV 或 Arrow 文件；有多张时写 NAME=FILE',
  'listen here instead of at the address in the job': '在此地址监听，而不用任务中的地址',
  'this party’s ledger, which records its runs (default: NAME.ledger beside its key)':
    '本方的账本，记录其各次运行（默认：密钥旁的 NAME.ledger）',
  'a job of three parties on this machine, with made-up companies: what each terminal says':
    '在本机演示三方任务（企业均为虚构）：各终端的输出',

  'Usage:': '用法：',
  'Arguments:': '参数：',
  'Options:': '选项：',
  'Global Options:': '全局选项：',
  'Commands:': '命令：',
  'choices:': '可选：',
  'default:': '默认：',
  'Example:': '示例：',
  'Exit codes: 0 done, 1 our fault, 2 usage, 3 refused by policy or disclosure, 4 not approved, 5 integrity failure,\n6 bad input or environment, 7 try again later, 130 and 143 interrupted.':
    '退出码：0 完成，1 程序错误，2 用法有误，3 被策略或披露检查拒绝，4 未获审批，5 完整性错误，\n6 输入或环境有误，7 稍后再试，130 和 143 被中断。',
  'find what two organizations or more have in common, without showing the rest, over mutual TLS':
    '求两个或多个机构共有的内容而不显露其余部分（隐私集合求交），经双向 TLS',
  'what a job says: who takes part, what a key is, who learns what, and how often; or what a prepared set is, checked to its last byte':
    '任务的内容：谁参与、键是什么、谁得知什么、可运行几次；或预处理集合的内容，逐字节检查',
  'the prepared set of a draft whose protocol is oprf, which is written into the job':
    '协议为 oprf 的草稿所用的预处理集合，将写入任务',
  'prepare a large set once, in a file that others may have and can test items against only with the help of its key':
    '将大集合一次预处理成文件；他方可持有，但检验条目须借助其密钥',
  'whose set it is': '集合属于哪一方',
  'the party’s key (else SLUICE_KEY_FILE, else NAME.key beside --out)':
    '该方的密钥（否则用 SLUICE_KEY_FILE，再否则用 --out 旁的 NAME.key）',
  'a column of the key; may stand several times': '键的一列；可多次给出',
  'width, trim, case, identity, with commas: once for all columns of the key, or once for each':
    'width、trim、case、identity，以逗号分隔：键的各列共用一次，或每列一次',
  'where the prepared set goes; until it is whole, encrypted parts in a folder beside it':
    '预处理集合写到何处；完成之前，旁边的文件夹中存放加密的部分',
  'the key of the set, made where there is none (default: the party’s key file and .oprf)':
    '集合的密钥，没有则生成（默认：该方密钥文件名加 .oprf）',
  'of a new key: when it is to be rotated, and answers no more (default: 90d)':
    '新密钥的期限：届时须轮换，不再作答（默认：90d）',
  'pad the set to a multiple of this': '将集合填充到此数的倍数',
  'so many at once (default: all cores)': '同时使用的线程数（默认：全部核心）',
  'this party’s ledger, which records it (default: NAME.ledger beside its key)':
    '本方的账本，记录此事（默认：密钥旁的 NAME.ledger）',
  'say how long it would take on this machine, and do nothing': '说明在本机需要多久，不做任何事',
  'replace the key of a prepared set: what was prepared before is void, and has to be prepared again':
    '轮换预处理集合的密钥：此前预处理的文件作废，须重新预处理',
  'the party’s key (else SLUICE_KEY_FILE, else NAME.key beside the set’s)':
    '该方的密钥（否则用 SLUICE_KEY_FILE，再否则用集合密钥旁的 NAME.key）',
  'when the new key is to be rotated in its turn (default: 90d)': '新密钥须在何时再次轮换（默认：90d）',
  'the prepared set that this party tests its own against': '本方据以检验的预处理集合',
  'the key of this party’s prepared set (default: the party’s key file and .oprf)':
    '本方预处理集合的密钥（默认：该方密钥文件名加 .oprf）',
  'read a job, and sign it as one of its parties together with the input that will be used':
    '阅读任务，并以参与方身份连同将用的输入一起签署',
  'do not ask; for a job that you have read': '不询问；用于已经阅读过的任务',
  'where the approval goes, which stays with you (default: beside the job); - is stdout':
    '审批写到何处，由本方自己保存（默认：任务文件旁）；- 表示标准输出',
  'this party’s approval of the job (default: beside the job)': '本方对任务的审批（默认：任务文件旁）',
  'where the rows go, for a party that learns which: a file, .parquet, .csv or .arrow':
    '得知哪些行共有的一方，行写到何处：文件，.parquet、.csv 或 .arrow',
  'which rows of the own file: the shared ones, all, or those not shared':
    '本方文件中的哪些行：共有的、全部、或非共有的',
  'this party’s ledger, which records its runs and counts quotas (default: NAME.ledger beside its key)':
    '本方的账本，记录其各次运行并据此计算配额（默认：密钥旁的 NAME.ledger）',
  'say what each protocol would cost on this machine, and do nothing': '说明各协议在本机的开销，不做任何事',
  'where the temporary files of large sets lie, sealed and removed (default: beside the input; a helper’s, beside its ledger)':
    '大集合的临时文件所在位置，加密存放并会删除（默认：输入文件旁；辅助方则在其账本旁）',
  'which party of the job this is': '本方是任务的哪一方',
  'the party’s key (else SLUICE_KEY_FILE, else NAME.key beside the job)':
    '本方的密钥（否则用 SLUICE_KEY_FILE，再否则用任务旁的 NAME.key）',
  'this party’s set, in a Parquet, CSV or Arrow file; a helper has none':
    '本方的集合，Parquet、CSV 或 Arrow 文件；协助方没有',
  'a column of the key; for a key of several, in the job’s order': '键的一列；键有多列时按任务的次序',
  'the column that is totalled, where it is this party’s (default: the job’s name)':
    '要合计的列，如属本方（默认：任务中的列名）',
  'show two organizations find what they share, in a folder that is removed again':
    '演示两个机构求共有内容；所用文件夹随后删除',
})
