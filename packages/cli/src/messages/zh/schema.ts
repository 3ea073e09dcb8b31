import type { Translations } from '../translate.js'

/**
 * What zod says of a file that is not as its schema has it, in the words of its own Chinese (zod/v4/locales/zh-CN). Names
 * of types stay as they are: they are words of the schema.
 */
export const zhSchema: Translations = {
  'Invalid input': '无效输入',
  'Invalid input: expected {}, received {}': '无效输入：期望 {}，实际接收 {}',
  'Invalid input: more than one option matched': '无效输入：同时符合多个选项',
  'Invalid discriminator value. Expected {}': '无效输入：期望以下之一 {}',
  'Invalid input: expected {}': '无效输入：期望 {}',
  'Invalid option: expected one of {}': '无效选项：期望以下之一 {}',
  'Too big: expected {} to have {} characters': '数值过大：期望 {} 有 {} 个字符',
  'Too big: expected {} to have {} items': '数值过大：期望 {} 有 {} 项',
  'Too big: expected {} to be {}': '数值过大：期望 {} 为 {}',
  'Too small: expected {} to have {} characters': '数值过小：期望 {} 有 {} 个字符',
  'Too small: expected {} to have {} items': '数值过小：期望 {} 有 {} 项',
  'Too small: expected {} to be {}': '数值过小：期望 {} 为 {}',
  'Invalid string: must start with {}': '无效字符串：必须以 {} 开头',
  'Invalid string: must end with {}': '无效字符串：必须以 {} 结尾',
  'Invalid string: must include {}': '无效字符串：必须包含 {}',
  'Invalid string: must match pattern {}': '无效字符串：必须满足正则表达式 {}',
  'Invalid number: must be a multiple of {}': '无效数字：必须是 {} 的倍数',
  'Unrecognized key: {}': '出现未知的键：{}',
  'Unrecognized keys: {}': '出现未知的键：{}',
  'Invalid key in {}': '{} 中的键无效',
  'Invalid value in {}': '{} 中包含无效值',
}
