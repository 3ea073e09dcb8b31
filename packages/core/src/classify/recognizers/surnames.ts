/** Surnames that cover nearly everybody (公安部户政管理研究中心《全国姓名报告》 lists the most frequent; 百家姓 the others). */
const SINGLE =
  '王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪' +
  '范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪' +
  '庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳管柴蒙鲍华喻' +
  '祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾' +
  '隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区' +
  '郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫' +
  '杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由'
const COMPOUND =
  '欧阳 上官 皇甫 令狐 诸葛 司徒 司马 申屠 夏侯 贺兰 完颜 慕容 尉迟 长孙 宇文 轩辕 端木 百里 东方 南宫 西门 公孙 公羊 澹台 淳于 ' +
  '单于 太叔 仲孙 钟离 闻人 独孤 呼延 东郭 南门 左丘 谷梁 拓跋 司空 司寇 濮阳 第五 鲜于 闾丘 亓官 巫马 乐正 漆雕 公冶 宰父 赫连'

const SURNAMES = new Uint8Array(0xa000)
for (const character of SINGLE) SURNAMES[character.codePointAt(0)!] = 1
const TWO_CHARACTERS: ReadonlySet<number> = new Set(
  COMPOUND.split(' ').map(name => pair(name.codePointAt(0)!, name.codePointAt(1)!)),
)

export function isSurname(codePoint: number): boolean {
  return SURNAMES[codePoint] === 1
}

export function isTwoCharacterSurname(first: number, second: number): boolean {
  return TWO_CHARACTERS.has(pair(first, second))
}

function pair(first: number, second: number): number {
  return first * 0x10000 + second
}
