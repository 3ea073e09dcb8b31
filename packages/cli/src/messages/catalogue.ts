import type { ErrorCode } from '@sluice/core'
import { en, enErrors, type MessageKey, type Messages } from './en.js'
import { zh, zhErrors } from './zh.js'

export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]

const CATALOGUE: Readonly<Record<Language, Messages>> = { en, zh }
const ERRORS: Readonly<Record<Language, Readonly<Partial<Record<ErrorCode, string>>>>> = {
  en: enErrors,
  zh: zhErrors,
}

/** The message of a key, with `{name}` replaced by the value of that name. */
export function message(
  language: Language,
  key: MessageKey,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return CATALOGUE[language][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  )
}

/** A text of an error in the reader's language, or as it is where there is none. */
export type Translate = (text: string) => string

/** What translates the texts of errors; loaded when there is one to show. */
export async function loadTranslate(language: Language): Promise<Translate> {
  if (language === 'en') return text => text
  const { zhTexts } = await import('./zh-texts.js')
  return text => zhTexts.find(text) ?? text
}

/** A sentence about an error code, where the language has one. */
export function errorSentence(language: Language, code: ErrorCode): string | undefined {
  return ERRORS[language][code]
}

/** `LC_ALL`, `LC_MESSAGES` and `LANG` in the order of POSIX: Chinese where they say so, else English. */
export function localeLanguage(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || ''
  return /^zh/i.test(locale) ? 'zh' : 'en'
}
