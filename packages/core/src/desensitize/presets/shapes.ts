import type { Shape } from './shape.js'

/** The presets whose values are plain ASCII of known form. What each keeps and why stands in docs/desensitize.md. */
export const SHAPES = {
  /**
   * 身份证号 (GB 11643): the area code stays, birth, sequence and check character go. 18 characters, or 15 digits of
   * the first generation.
   */
  'identity-number': [
    {
      form: [
        ['1-9', 1],
        ['0-9', 16],
        ['0-9Xx', 1],
      ],
      first: 6,
      last: 0,
    },
    {
      form: [
        ['1-9', 1],
        ['0-9', 14],
      ],
      first: 6,
      last: 0,
    },
  ],
  /** 11 digits (工信部 《电信网编号计划》): the first three and the last four stay, ten thousand candidates remain */
  mobile: [
    {
      form: [
        ['1', 1],
        ['3-9', 1],
        ['0-9', 9],
      ],
      first: 3,
      last: 4,
    },
  ],
  /** the area code stays: three digits of 010 and 02x, else four, then a hyphen or none */
  landline: [
    {
      form: [
        ['0', 1],
        ['1', 1],
        ['0', 1],
        ['-', 1],
        ['2-8', 1],
        ['0-9', 7],
      ],
      first: 4,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['1', 1],
        ['0', 1],
        ['2-8', 1],
        ['0-9', 7],
      ],
      first: 3,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['2', 1],
        ['0-9', 1],
        ['-', 1],
        ['2-8', 1],
        ['0-9', 7],
      ],
      first: 4,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['2', 1],
        ['0-9', 1],
        ['2-8', 1],
        ['0-9', 7],
      ],
      first: 3,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['3-9', 1],
        ['0-9', 2],
        ['-', 1],
        ['2-8', 1],
        ['0-9', 7],
      ],
      first: 5,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['3-9', 1],
        ['0-9', 2],
        ['2-8', 1],
        ['0-9', 7],
      ],
      first: 4,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['3-9', 1],
        ['0-9', 2],
        ['-', 1],
        ['2-8', 1],
        ['0-9', 6],
      ],
      first: 5,
      last: 0,
    },
    {
      form: [
        ['0', 1],
        ['3-9', 1],
        ['0-9', 2],
        ['2-8', 1],
        ['0-9', 6],
      ],
      first: 4,
      last: 0,
    },
  ],
  /** 16 to 19 digits: the last four stay (PCI DSS 4.0, 3.4.1 allows no more than the issuer's and these) */
  'bank-card': [16, 17, 18, 19].map(
    (length): Shape => ({
      form: [
        ['1-9', 1],
        ['0-9', length - 1],
      ],
      first: 0,
      last: 4,
    }),
  ),
  /** 统一社会信用代码 (GB 32100): authority, kind and area stay; the subject's code and the check character go */
  'credit-code': [
    {
      form: [
        ['0-9A-HJ-NP-RTUW-Y', 2],
        ['0-9', 6],
        ['0-9A-HJ-NP-RTUW-Y', 10],
      ],
      first: 8,
      last: 0,
    },
  ],
  /** nine characters: a letter and eight digits, or two letters and seven; the first stays */
  passport: [
    {
      form: [
        ['A-Z', 1],
        ['0-9', 8],
      ],
      first: 1,
      last: 0,
    },
    {
      form: [
        ['A-Z', 2],
        ['0-9', 7],
      ],
      first: 1,
      last: 0,
    },
  ],
} as const satisfies Record<string, readonly Shape[]>

export type ShapePreset = keyof typeof SHAPES
