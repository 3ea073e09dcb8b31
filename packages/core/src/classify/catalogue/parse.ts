import { canonicalDigest, type Json } from '../../canonical.js'
import { SluiceError } from '../../errors.js'
import { parseDocument } from '../../policy/document.js'
import { compareGrades, GRADE_RULES } from '../../policy/grades.js'
import { problemsOf } from '../../policy/issues.js'
import { type Path, type Problem, problemsError } from '../../policy/problems.js'
import type { Grade } from '../../policy/types.js'
import { visibleText } from '../../text.js'
import { compileName } from '../column-name.js'
import { RECOGNIZERS } from '../recognizers/registry.js'
import { formatRecognizer } from './format.js'
import { CatalogueFile } from './schema.js'
import { type Catalogue, type CatalogueEntity, DEGREES, type Impact } from './types.js'

/** The longest catalogue text, in UTF-8 bytes. */
export const CATALOGUE_LIMIT = 1024 * 1024

export interface ParseCatalogueOptions {
  /** the file that the text is from, for positions in errors */
  readonly source?: string
}

/**
 * Reads a catalogue from YAML or JSON. It has to be without contradictions: no name of columns, recognizer or form of
 * values stands at two entities, grades rise with the degree, and no entity suggests a use that its grade forbids.
 *
 * @throws SluiceError CATALOGUE_INVALID with the position; `facts.problems` lists everything that is wrong
 * @throws SluiceError FILE_TOO_LARGE above `CATALOGUE_LIMIT`
 */
export function parseCatalogue(text: string, options: ParseCatalogueOptions = {}): Catalogue {
  if (text.length > CATALOGUE_LIMIT || Buffer.byteLength(text) > CATALOGUE_LIMIT) {
    throw new SluiceError('FILE_TOO_LARGE', 'the catalogue is too large', {
      rule: 'catalogue.size',
      remedy: `Write at most ${CATALOGUE_LIMIT} bytes.`,
    })
  }
  const document = parseDocument(text, options.source)
  const fail = (problems: readonly Problem[]) => {
    if (problems.length === 0) return
    throw problemsError(
      problems.map(problem => ({
        ...problem,
        code: 'CATALOGUE_INVALID',
        rule: problem.rule ?? ruleOf(problem),
      })),
      document,
    )
  }
  fail(document.problems)
  const parsed = CatalogueFile.safeParse(document.value, { reportInput: true })
  if (!parsed.success) throw fail(problemsOf(parsed.error.issues, CatalogueFile))
  fail(contradictions(parsed.data))
  return complete(parsed.data)
}

function ruleOf({ path }: Problem): string {
  return path.length === 0 ? 'catalogue' : path.map(step => visibleText(String(step))).join('.')
}

function complete(file: CatalogueFile): Catalogue {
  const gradeOf = (impact: Impact) => String(file.grading[impact.object]![impact.degree]) as Grade
  return {
    name: file.name,
    edition: file.edition,
    standard: file.standard,
    digest: canonicalDigest(file as unknown as Json),
    unrecognized: { impact: file.unrecognized, grade: gradeOf(file.unrecognized) },
    entities: Object.entries(file.entities).map(
      ([name, entity]): CatalogueEntity => ({
        name,
        label: entity.label,
        names: entity.names,
        recognizer: entity.recognizer
          ? RECOGNIZERS[entity.recognizer]
          : entity.format
            ? formatRecognizer(entity.format)
            : null,
        impact: entity.impact,
        grade: gradeOf(entity.impact),
        role: entity.role,
        uses: entity.uses ?? [],
        rule: entity.rule ?? null,
      }),
    ),
  }
}

function contradictions(file: CatalogueFile): Problem[] {
  const problems: Problem[] = []
  const add = (path: Path, message: string, remedy: string) =>
    problems.push({ code: 'CATALOGUE_INVALID', path, at: 'value', message, remedy })

  for (const [object, grades] of Object.entries(file.grading)) {
    DEGREES.forEach((degree, index) => {
      const lower = DEGREES[index - 1]
      if (lower === undefined || compareGrades(gradeText(grades[degree]), gradeText(grades[lower])) >= 0)
        return
      add(['grading', object, degree], `is below the grade of ${lower}`, 'grades that rise with the degree')
    })
  }
  const hasObject = (path: Path, { object }: Impact) => {
    if (Object.hasOwn(file.grading, object)) return true
    add([...path, 'object'], 'is not in the table of grades', Object.keys(file.grading).join(', '))
    return false
  }
  hasObject(['unrecognized'], file.unrecognized)

  const names = new Map<string, string>()
  const spellings = new Set<string>()
  const forms = new Map<string, string>()
  for (const [entity, description] of Object.entries(file.entities)) {
    const path = ['entities', entity]
    const { recognizer, format, impact, uses } = description
    if (recognizer !== undefined && format !== undefined) {
      add([...path, 'format'], 'stands beside a recognizer', 'a recognizer, or a format of your own')
    }
    if (format !== undefined && format.length.max < format.length.min) {
      add([...path, 'format', 'length'], 'the most is below the least', 'min at most max')
    }
    const form = recognizer ?? (format && JSON.stringify({ ...format, weight: 0 }))
    if (form === undefined && description.names.length === 0) {
      add(path, 'nothing would be recognized as this', 'a recognizer, a format, or names of columns')
    }
    if (form !== undefined) {
      const other = forms.get(form)
      if (other === undefined) forms.set(form, entity)
      else add(path, `recognizes what "${other}" recognizes`, 'one entity for each recognizer or format')
    }
    description.names.forEach((name, index) => {
      const { joined, words } = compileName(name)
      const at = [...path, 'names', index]
      if (joined === '') {
        add(at, 'holds no letter and no Chinese character', 'a name as columns have it')
        return
      }
      const other = names.get(joined)
      if (other !== undefined && other !== entity) {
        add(at, `names "${other}" too`, 'a name of columns at one entity only')
        return
      }
      names.set(joined, entity)
      // `cell phone` and `cellphone` are two spellings of one name
      if (spellings.has(words.join(' '))) add(at, 'stands twice', 'each name once')
      spellings.add(words.join(' '))
    })
    if (!hasObject([...path, 'impact'], impact)) continue
    const grade = gradeText(file.grading[impact.object]![impact.degree])
    uses?.forEach((use, index) => {
      const allowed = GRADE_RULES[grade].uses
      if (allowed.includes(use)) return
      add([...path, 'uses', index], `grade ${grade} does not allow ${use}`, allowed.join(', ') || 'no use')
    })
  }
  return problems
}

function gradeText(grade: string | number): Grade {
  return String(grade) as Grade
}
