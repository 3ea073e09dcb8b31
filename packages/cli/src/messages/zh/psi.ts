import type { Translations } from '../translate.js'

/** What intersections of sets refuse. */
export const zhPsi: Translations = {
  'the job is refused at {}: {}': '任务在 {} 处被拒绝：{}',
  'two parties have one key': '有两方使用同一密钥',
  'it is no party': '不是参与方',
  'the protocol "helper" has one, and no other has': '协议 "helper" 须有协助方，其他协议不得有',
  'two of them, at least, own a set': '其中至少两方持有集合',
  'more than two sets are intersected with a helper': '两个以上的集合求交须有协助方',
  'the floor is above the ceiling': '下限高于上限',
  'the ceiling is no multiple of the step': '上限不是步长的倍数',
  'the helper receives nothing': '协助方不接收任何内容',
  'it says nowhere what is totalled': '未说明对什么求合计',
  'with a helper, one party receives': '有协助方时，由一方接收',
  'of a total, one party receives': '合计由一方接收',
  'this protocol tells which, and "ecdh" or "helper" how many':
    '此协议给出哪些；求多少请用 "ecdh" 或 "helper"',
  'nobody receives it': '无人接收',
  'a total needs the protocol "helper" or "ecdh"': '求合计须用协议 "helper" 或 "ecdh"',
  'it is no owner of a set': '不是集合的持有方',
  'it is no positive number of this scale': '不是该小数位数的正数',
  'so many values of this bound could wrap a total': '这么多达到界限的值会使合计溢出',
  'times the ceiling it is beyond {}, to where a total between two is searched for: take a smaller bound, ceiling or scale, or a helper':
    '乘以上限超过双方合计的搜索范围 {}：请取较小的界限、上限或小数位数，或采用协助方',
  'with a helper, no columns are handed over': '有协助方时不移交列',
  'both it and its receiver have to learn which keys are shared': '移交方与接收方都须得知哪些键共有',
  'one party is named twice': '有一方重复',
  'See docs/psi.md for a job that is right.': '正确的任务见 docs/psi.md。',
  '"{}" is no party of this job': '“{}”不是此任务的参与方',
  'Name one of {}.': '请指定其中之一：{}。',
  'the input has fewer different keys than the {} that the job asks for':
    '输入中不同的键少于任务要求的 {} 个',
  'the input has more different keys than the job allows: {} as padded':
    '输入中不同的键多于任务允许的数量：填充后 {} 个',
  'Check the file and its key column, or agree on a job with other sizes.':
    '请检查文件及其键列，或另行约定大小不同的任务。',
  'the job’s key has another number of columns: {}': '任务的键的列数不同：{} 列',
  'Name as many columns, in the job’s order.': '请按任务的次序指定同样数量的列。',
  'the reading was interrupted': '读取被中断',
  'the input has no column "{}"': '输入中没有列“{}”',
  'Name a column that is there.': '请指定存在的列。',
  'this is not the approval of this job by "{}"': '这不是“{}”对此任务的审批',
  'Read the job with `sluice psi show`, then sign it with `sluice psi approve`.':
    '请用 `sluice psi show` 阅读任务，再用 `sluice psi approve` 签署。',
  'the input is not the one that was approved': '输入与审批时的不同',
  'Give the file and the key columns of the approval, or approve the job with this one.':
    '请使用审批时的文件和键列，或以此文件重新审批任务。',
  '"{}" has a set of a size that the job does not allow': '“{}”的集合大小不被任务允许',
  '"{}" has not signed the input that it brings': '“{}”未签署其提供的输入',
  'Ask that party to approve the job with the input that it uses; nothing was computed.':
    '请该方以所用输入审批任务；尚未计算任何内容。',
  'the columns that were handed over are refused: {}': '移交的列被拒绝：{}',
  'it is larger than is allowed': '超过允许的大小',
  'it has other columns': '列不符',
  'it names items that are not shared': '其中有非共有的条目',
  'it cannot be read': '无法读取',
  'the column "{}" is handed over as text, and is none': '列“{}”应以文本移交，但不是文本',
  'Give its values as text.': '请将其值作为文本给出。',
  'the columns to hand over are too large': '要移交的列过大',
  'Agree on fewer columns, or on smaller sets.': '请约定更少的列或更小的集合。',
  'Ask that party which version runs there, then start the job again on both sides.':
    '请询问该方所用版本，然后双方重新开始任务。',
  'Ask the other party which version runs there, then start the job again on both sides.':
    '请询问对方所用版本，然后双方重新开始任务。',
  'a point that was received is none of the group': '收到的点不属于该群',
  '{} is a draft, and no job that could be signed': '{} 是草稿，不是可签署的任务',
  'Make a job of it with `sluice psi init`, and give that to every party.':
    '请用 `sluice psi init` 由它生成任务，交给各方。',
  'no column of this party is totalled': '本方没有求合计的列',
  'Leave --sum away.': '请去掉 --sum。',
  'a set came with one item twice': '某集合中有重复的条目',
  'the set of "{}" came with one item twice': '“{}”的集合中有重复的条目',
  'Ask the helper which version runs there, then start the job again at every party.':
    '请询问协助方所用版本，然后各方重新开始任务。',
  'so many runs together could fail too often': '这么多次运行合计失败的概率过大',
  'Set up a session for some thousands of runs, and another one for more.':
    '请为每几千次运行建立一个会话，更多的另建会话。',
  'Ask that party which version runs there, then start the job again at every party.':
    '请询问该方所用版本，然后各方重新开始任务。',
  'the column "{}" cannot be a key': '列“{}”不能作为键',
  'Use a column of text, integers or dates, or one of binary values that the job does not normalize.':
    '请使用文本、整数或日期列，或任务不作规范化的二进制列。',
  'the intersection is smaller than the minimum of the job, and is not given out':
    '交集小于任务规定的下限，不予给出',
  'Nothing was written. A smaller minimum needs a new job that every party signs.':
    '未写入任何内容。更小的下限需要各方签署新的任务。',
  'nobody gives the columns to hand over': '没有给出要移交的列',
  'the shared items that were told are not those of this set': '被告知的共有条目不属于本集合',
  'rows of one key add up to more than the job’s bound, or are too many for it':
    '同一键各行的合计超出任务的界限，或行数过多',
  'Give rows that are totalled by key within the bound, or agree on a job with a larger one.':
    '请给出按键合计后不超出界限的行，或约定界限更大的任务。',
  'the total is none that values of the job could add up to': '该合计不可能由任务允许的值相加得到',
  'more items are said to be shared than there are': '所称的共有条目多于集合中的条目',
  'the search for the total was interrupted': '对合计的搜索被中断',
  'nobody searches that far': '搜索范围过大',
  'the demonstration did not run': '演示未能运行',
  'a step of the demonstration failed': '演示的某一步失败',
  'this job has run {} times, and may no more': '此任务已运行 {} 次，不得再运行',
  'Agree on a new job; one that broke off has counted too.': '请约定新的任务；中断的运行也计入次数。',
  '"{}" has tested {} items, and with {} more would be beyond its quota':
    '“{}”已检验 {} 个条目，再加 {} 个将超出配额',
  'Agree on a job with a larger quota, if so many questions are meant to be answered.':
    '如确需回答这么多次检验，请约定配额更大的任务。',
  'the disk is full; nothing was computed that is not recorded': '磁盘已满；凡未记录的均未计算',
  'the ledger in {} cannot be written ({})': '{} 中的账本无法写入（{}）',
  'this party has counted {} entries of its ledger, which now has {}':
    '本方已计数账本的 {} 条，而账本现有 {} 条',
  'this party has counted other entries than its ledger has': '本方已计数的条目与账本现有的不同',
  'the ledger in {} was begun before, and its log is not there': '{} 中的账本早已开始，其日志却不在',
  'head.json beside the ledger is not what this party wrote': '账本旁的 head.json 不是本方所写',
  'Restore it; a ledger that was set back is not noticed without it.':
    '请将其恢复；没有它，账本被回退时无法察觉。',
  'Put the newer files back, and find out who replaced them; without them no quota can be counted.':
    '请放回较新的文件，并查明是谁替换了它们；没有它们无法计算配额。',
  '{} is the key of "{}", not of "{}"': '{} 是“{}”的密钥，不是“{}”的',
  'Name the party’s key with --key-file FILE or SLUICE_KEY_FILE.':
    '请用 --key-file FILE 或 SLUICE_KEY_FILE 指定该方的密钥。',
  '{} is no approval of an intersection': '{} 不是求交任务的审批',
  'Sign the job with `sluice psi approve`, and give the file that it wrote.':
    '请用 `sluice psi approve` 签署任务，并给出它写出的文件。',
  'the helper brings no set': '协助方不提供集合',
  'Leave --input away.': '请去掉 --input。',
  'this party brings a set; number of columns in its key: {}': '本方提供集合，键有 {} 列',
  'Name its file with --input FILE, and each column of the key with --key COLUMN, in the job’s order.':
    '请用 --input FILE 指定文件，并按任务的次序用 --key COLUMN 指定键的每一列。',
  'this party learns which rows are shared': '本方得知哪些行是共有的',
  'this party learns no rows, and writes none': '本方不得知任何行，也不写出',
  'Say with --out FILE where they go.': '请用 --out FILE 指定写到何处。',
  'Leave --out away.': '请去掉 --out。',
  'Read the job with `sluice psi show`, then add --yes.': '请用 `sluice psi show` 阅读任务，再加 --yes。',
  'this is no prepared set, or not all of one, or it was changed': '这不是预处理的集合，或不完整，或已被改动',
  'Ask its owner for the file again.': '请向其所有方重新索取文件。',
  'the prepared set cannot be read ({})': '预处理的集合无法读取（{}）',
  'another process is preparing this set': '另一进程正在预处理此集合',
  'Wait until it is done, or choose another --out.': '请等待其完成，或另选 --out。',
  'a working file of the preparation was changed': '预处理的某个工作文件已被改动',
  'Remove the folder of working files, and run the same command again: it starts anew.':
    '请删除工作文件夹，再运行同一命令：将重新开始。',
  'the preparation was interrupted': '预处理被中断',
  'a thread that prepares the set ended early': '预处理集合的线程提前结束',
  'Run the same command again; it goes on where it was.': '请再次运行同一命令；将从中断处继续。',
  'the input has no key at all': '输入中没有任何键',
  'Check the file and its key column.': '请检查文件及其键列。',
  'the input has more than {} different keys, as padded': '输入中不同的键填充后超过 {} 个',
  'Prepare it as several sets.': '请分成几个集合预处理。',
  'this is not the key of a prepared set, or it was damaged': '这不是预处理集合的密钥，或已损坏',
  'Restore it from its backup; another key needs the set to be prepared again.':
    '请从备份恢复；换用其他密钥需要重新预处理集合。',
  'the prepared set was to be rotated on {}': '预处理的集合应在 {} 轮换密钥',
  'Have its owner rotate the key and prepare the set again, and agree on a job with the new one.':
    '请其所有方轮换密钥、重新预处理集合，并以新文件约定任务。',
  'this party answers with the key of its prepared set': '本方以其预处理集合的密钥作答',
  'this party tests against a prepared set': '本方对照预处理的集合检验',
  'Name its file with --oprf-key FILE.': '请用 --oprf-key FILE 指定其文件。',
  'Name its file with --prepared FILE.': '请用 --prepared FILE 指定其文件。',
  'this is another prepared set than the job’s': '这不是任务所指的预处理集合',
  'Ask its owner for the file that the job names, or agree on a job with this one.':
    '请向其所有方索取任务所指的文件，或以此文件约定任务。',
  'the key is another than the one that the job’s set was prepared under':
    '密钥与任务中集合预处理时所用的不同',
  'After a rotation, prepare the set again and agree on a job with the new file.':
    '轮换之后，请重新预处理集合，并以新文件约定任务。',
  'this job has a prepared set: runPrepared runs it': '此任务有预处理的集合：请用 runPrepared 运行',
  'the run that this one would go on with was never recorded': '要接续的那次运行没有记录',
  'Use the ledger of that run, or remove what was kept of it and begin anew.':
    '请使用那次运行的账本，或删除其保留内容后重新开始。',
  'a temporary file is not what was written to it': '临时文件的内容与写入时不同',
  'Find out who writes to the folder of temporary files; nothing was taken from it.':
    '请查明何人写入临时文件夹；未采用其中任何内容。',
  'the disk is full; a temporary file was not written': '磁盘已满；临时文件未写入',
  'Free some space and run the same command again. With --scratch DIR on another disk it begins anew.':
    '请腾出空间后再次执行同一命令。若用 --scratch DIR 指定另一磁盘，则重新开始。',
  'a temporary file cannot be written or read ({})': '临时文件无法写入或读取（{}）',
  'Check the folder of temporary files, or name another one with --scratch DIR.':
    '请检查临时文件夹，或用 --scratch DIR 指定另一个。',
  'the input has more than {} rows': '输入超过 {} 行',
  'Leave out rows whose keys repeat.': '请去掉键重复的行。',
  'what was kept of an earlier run, in {}, does not hold': '{} 中保留的上次运行的内容不成立',
  'Remove that folder, and the input is read anew.': '请删除该文件夹，输入将重新读取。',
  'Ask that party whether it has its rows: then nothing is left to do here. Else start the same command again on both sides: finished buckets are kept.':
    '请询问该方是否已得到结果：若是，则本方无须再做任何事；否则请在双方再次运行同一命令：已完成的桶已保留。',
  'Remove that folder to begin anew: what is evaluated again will be counted again.':
    '请删除该文件夹以重新开始：再次检验的内容将再次计数。',
  'the key {} of what is kept is not this party’s alone': '保留内容的密钥 {} 并非本方独有',
  'the folder {} of temporary files is not this party’s alone': '临时文件夹 {} 并非本方独有',
  'Find out whose it is and remove it, or name another folder with --scratch DIR.':
    '请查明其属于何人并将其删除，或用 --scratch DIR 指定另一个文件夹。',
  'Remove it to begin anew: what is evaluated again will be counted again.':
    '请删除它以重新开始：再次检验的内容将再次计数。',
  'another process runs this job as this party': '另一进程正以本方身份运行此任务',
  'Wait until it has ended.': '请等待其结束。',
  'too many keys of this set fall into one bucket': '本集合中落入同一个桶的键过多',
  'With keys that nobody chose by the job’s digest this happens once in 2^40 jobs: agree on a new job.':
    '若无人按任务摘要选取键，每 2^40 个任务才会发生一次：请约定新的任务。',
  'an earlier run of this job was finished, with another approval':
    '此任务先前的一次运行已在另一份审批下完成',
  'Its rows are written first; start the same command again for another run.':
    '将先写出其各行；如需再次运行，请再次执行同一命令。',
  '"{}" cuts its set into other buckets': '“{}”的分桶方式不同',
  'Ask that party which version runs there; nothing was computed.': '请询问该方所用版本；未计算任何内容。',
  'this job works on sets in memory': '此任务使用内存中的集合',
  'Read the set with readPsiItems; sets on disk are for jobs that go in buckets.':
    '请用 readPsiItems 读取集合；磁盘上的集合用于双方分桶求交。',
  'Ask the receiver whether it has its result: then nothing is left to do here. Else start the same command again at every party: finished buckets are kept.':
    '请询问接收方是否已得到结果：若是，则本方无须再做任何事；否则请各方再次运行同一命令：已完成的桶已保留。',
  'Start the same command again at every party: finished buckets are kept, and it goes on after them.':
    '请各方再次执行同一命令：已完成的桶已保留，将从其后继续。',
  'Start the same command again on both sides: finished buckets are kept, and it goes on after them.':
    '请双方再次执行同一命令：已完成的桶已保留，将从其后继续。',
  '{} cannot be read ({})': '{} 无法读取（{}）',
  '"{}" is no rule by which keys are brought to one form': '“{}”不是将键统一形式的规则',
  'Name some of {}.': '请指定其中若干：{}。',
  'there are not as many lists of rules as columns of the key': '规则的组数与键的列数不符',
  'Give --normalize once for all columns, or once for each --key in its order.':
    '请给出一次 --normalize 供各列共用，或按 --key 的次序每列一次。',
  'the draft does not say whose the prepared set is': '草稿未说明预处理集合属于谁',
  'Write prepared: {owner: NAME} in it; the rest is taken from the file.':
    '请在其中写 prepared: {owner: NAME}；其余取自文件。',
  'the draft’s key is not the one that the set was prepared by': '草稿中的键与集合预处理时的不同',
  'Leave it out of the draft: it is taken from the file.': '请从草稿中去掉：它取自文件。',
  'this job has no prepared set': '此任务没有预处理的集合',
  'Leave --prepared and --oprf-key away.': '请去掉 --prepared 和 --oprf-key。',
  'the owner of a prepared set answers with its key alone': '预处理集合的所有方仅以密钥作答',
  'the key of this set exists, and has its date': '此集合的密钥已存在，且有其期限',
  'the key of this set was to be rotated on {}': '此集合的密钥应在 {} 轮换',
  'Rotate the key with `sluice psi rotate`, then prepare the set again.':
    '请用 `sluice psi rotate` 轮换密钥，再重新预处理集合。',
  'it is not said where the prepared set goes': '未说明预处理集合写到何处',
  'Name a file with --out FILE.': '请用 --out FILE 指定文件。',
}
