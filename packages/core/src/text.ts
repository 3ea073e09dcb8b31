/**
 * Text from elsewhere, safe to show: control, bidirectional, zero-width and other invisible characters, line breaks
 * and unpaired surrogates are written as `\u{…}`, a backslash as `\\`. Two texts that differ never look the same by
 * invisible characters alone (Unicode TR 36, section 3; CVE-2021-42574).
 */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, character =>
    character === '\\' ? '\\\\' : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
}

// controls, formats (bidirectional, zero-width, tags), private, unassigned and lone surrogates, line and paragraph
// separators, spaces but the plain one; then Hangul fillers, variation selectors and other blanks that are letters
const INVISIBLE =
  /\\|[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}/gu
