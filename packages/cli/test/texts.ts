import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** A text of an error as the sources write it; `{}` stands for what is put in. */
export interface ErrorText {
  readonly kind: 'message' | 'remedy'
  readonly text: string
  /** file and line */
  readonly at: string
}

type Kind = ErrorText['kind']

/** By which names a text of an error is passed on: a property, a parameter or a variable. */
const KINDS = new Map<string, Kind>([
  ['message', 'message'],
  ['detail', 'message'],
  ['remedy', 'remedy'],
])

/** By a function's or a class's name, which of its parameters are texts. */
type Takers = ReadonlyMap<string, ReadonlyMap<number, Kind>>

/**
 * Every text of an error in the sources that is written out where it is passed on: to `SluiceError`, or to something
 * that names its parameter or property `message`, `detail` or `remedy`.
 *
 * @param packages absolute path of the folder that holds the packages
 */
export function errorTexts(packages: string): ErrorText[] {
  const files = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter(name => /^[\w-]+\/src\/.*\.ts$/.test(name) && !name.endsWith('.d.ts'))
    .sort()
    .map(name =>
      ts.createSourceFile(name, readFileSync(join(packages, name), 'utf8'), ts.ScriptTarget.Latest, true),
    )
  const exported = new Map<string, ReadonlyMap<number, Kind>>([['SluiceError', new Map([[1, 'message']])]])
  for (const file of files)
    for (const [name, places] of takersOf(file)) if (isExported(file, name)) exported.set(name, places)
  const found: ErrorText[] = []
  for (const file of files) {
    const own = takersOf(file)
    const takers: Takers = new Map([...[...exported].filter(([name]) => isImported(file, name)), ...own])
    visit(file, node => {
      for (const [kind, expression] of passedOn(node, takers)) {
        const { line } = file.getLineAndCharacterOfPosition(expression.getStart())
        for (const text of textsOf(expression)) found.push({ kind, text, at: `${file.fileName}:${line + 1}` })
      }
    })
  }
  return found
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node)
  ts.forEachChild(node, child => visit(child, see))
}

function takersOf(file: ts.SourceFile): Map<string, ReadonlyMap<number, Kind>> {
  const takers = new Map<string, ReadonlyMap<number, Kind>>()
  visit(file, node => {
    if (!ts.isFunctionLike(node)) return
    const owner = ts.isConstructorDeclaration(node) || node.name === undefined ? node.parent : node
    const name = (owner as { name?: ts.Node }).name?.getText()
    const places = node.parameters.flatMap((parameter, index) => {
      const kind = KINDS.get(parameter.name.getText())
      return kind === undefined ? [] : [[index, kind] as const]
    })
    if (name !== undefined && places.length > 0) takers.set(name, new Map(places))
  })
  return takers
}

function isExported(file: ts.SourceFile, name: string): boolean {
  return new RegExp(`export (async )?(function|class|const) ${name}\\b`).test(file.text)
}

function isImported(file: ts.SourceFile, name: string): boolean {
  return (
    new RegExp(`^import [^;]*?\\b${name}\\b[^;]*? from `, 'ms').test(file.text) || /SluiceError/.test(name)
  )
}

function* passedOn(node: ts.Node, takers: Takers): Generator<[Kind, ts.Expression]> {
  if (ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node)) {
    const kind = KINDS.get(node.name.getText())
    if (kind !== undefined && node.initializer) yield [kind, node.initializer]
  }
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    // a class that adds nothing takes what its base takes
    const name = node.expression.getText() === 'UnknownName' ? 'Refusal' : node.expression.getText()
    for (const [index, kind] of takers.get(name) ?? []) {
      const argument = node.arguments?.[index]
      if (argument) yield [kind, argument]
    }
  }
}

/** What an expression can be, as far as it is written out: a literal, a template, one of several. */
function textsOf(expression: ts.Expression): string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text]
  if (ts.isTemplateExpression(expression)) {
    return [expression.head.text + expression.templateSpans.map(span => `{}${span.literal.text}`).join('')]
  }
  if (ts.isConditionalExpression(expression)) {
    return [...textsOf(expression.whenTrue), ...textsOf(expression.whenFalse)]
  }
  if (ts.isParenthesizedExpression(expression)) return textsOf(expression.expression)
  if (ts.isBinaryExpression(expression) && /^(\?\?|\|\|)$/.test(expression.operatorToken.getText())) {
    return [...textsOf(expression.left), ...textsOf(expression.right)]
  }
  return []
}
