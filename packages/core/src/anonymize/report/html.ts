import { visibleText } from '../../text.js'
import type { Diversity } from '../config/config.js'
import type { AnonymityReport, ClassSummary } from './report.js'
import { REPORT_TEXTS, type ReportTexts } from './texts.js'

/**
 * A report as one page that needs nothing else: no script, no style sheet, font or image from elsewhere, and a policy
 * in it that forbids them. Every text of the data's owner (names of columns) is escaped.
 */
export function reportHtml(report: AnonymityReport, language: 'en' | 'zh' = 'en'): string {
  const t = REPORT_TEXTS[language]
  const { classes, risk, input, output, populationUniqueness: unique } = report
  return `<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(t.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(t.title)}</h1>
<p class="${report.passed ? 'passed' : 'failed'}">${escaped(verdict(report, t))}</p>
${section(t.classes, [
  comparison(t, [
    [t.rows, count(input.rows), count(output.rows)],
    [t.suppressed, '', count(output.suppressed)],
    [t.classCount, count(classes.before.count), count(classes.after.count)],
    [t.smallest, count(classes.before.smallest), count(classes.after.smallest)],
    [t.largest, count(classes.before.largest), count(classes.after.largest)],
    [t.average, decimal(classes.before.average), decimal(classes.after.average)],
  ]),
  `<h3>${escaped(t.byClassSize)}</h3>`,
  chart(classes.before, classes.after, t),
])}
${section(t.risk, [
  comparison(t, [
    [t.prosecutor, percent(risk.before?.prosecutor.highest), percent(risk.after?.prosecutor.highest)],
    [t.prosecutorAverage, percent(risk.before?.prosecutor.average), percent(risk.after?.prosecutor.average)],
    [t.journalist, percent(risk.before?.journalist?.highest), percent(risk.after?.journalist?.highest)],
    [
      t.journalistAverage,
      percent(risk.before?.journalist?.average),
      percent(risk.after?.journalist?.average),
    ],
    [t.marketer, percent(risk.before?.marketer), percent(risk.after?.marketer)],
    [t.sampleUnique, percent(risk.before?.sampleUnique), percent(risk.after?.sampleUnique)],
    [t.zayatz, percent(unique?.before.zayatz), percent(unique?.after.zayatz)],
    [t.pitman, percent(unique?.before.pitman), percent(unique?.after.pitman)],
  ]),
  `<p>${escaped(t.limits)}</p>`,
])}
${section(t.utility, [
  table([
    [t.entropy, percent(report.utility.nonUniformEntropy.share)],
    [t.discernibility, count(report.utility.discernibility)],
    [t.averageClassSize, decimal(report.utility.averageClassSize)],
  ]),
])}
${section(t.parameters, [table(parameters(report, t))])}
${section(t.columns, [
  table(
    report.columns.map(({ name, role, level, levels }) => [
      name,
      t[role],
      level !== null ? `${level} / ${levels}` : role === 'quasi' ? t.ranges : '',
    ]),
    [t.column, t.role, t.level],
  ),
])}
${section(t.fingerprints, [
  table([
    [t.input, input.fingerprint ?? ''],
    [t.output, output.fingerprint ?? ''],
  ]),
])}
</body>
</html>
`
}

function verdict({ passed, failed }: AnonymityReport, t: ReportTexts): string {
  return passed ? t.passed : `${t.failed} ${failed.join(', ')}`
}

function parameters(
  { method, measure, model, suppression, search }: AnonymityReport,
  t: ReportTexts,
): string[][] {
  return [
    [t.method, t[method]],
    ...(measure === null ? [] : [[t.measure, measure]]),
    ['k', count(model.k)],
    [t.suppression, percent(suppression)],
    ...model.diversity.map(item => [t.diversity, diversityText(item)]),
    ...model.closeness.map(({ column, t: bound, distance }) => [
      t.closeness,
      `${column}: t = ${bound}, ${distance}`,
    ]),
    ...(model.presence === null ? [] : [[t.presence, `${model.presence.min} – ${model.presence.max}`]]),
    ...(search === null ? [] : [[t.nodes, `${count(search.nodes)}, ${count(search.checked)}`]]),
  ]
}

function diversityText(item: Diversity): string {
  const c = item.kind === 'recursive' ? `, c = ${item.c}` : ''
  return `${item.column}: ${item.kind}, ℓ = ${item.l}${c}`
}

function section(title: string, parts: readonly string[]): string {
  return `<section>\n<h2>${escaped(title)}</h2>\n${parts.join('\n')}\n</section>`
}

/** Rows of which nothing is known are left out. */
function comparison(t: ReportTexts, rows: readonly (readonly [string, string, string])[]): string {
  return table(
    rows.filter(([, before, after]) => before !== '' || after !== ''),
    ['', t.before, t.after],
  )
}

function table(rows: readonly (readonly string[])[], head: readonly string[] = []): string {
  const cells = (row: readonly string[], tag: 'td' | 'th') =>
    `<tr>${row.map(cell => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table>${head.length > 0 ? cells(head, 'th') : ''}${rows.map(row => cells(row, 'td')).join('')}</table>`
}

const BAR = 18
const GROUP = 2 * BAR + 20
const HEIGHT = 160

/** Two bars a range of sizes, as high as the rows that stand in classes of it. */
function chart(before: ClassSummary, after: ClassSummary, t: ReportTexts): string {
  const most = Math.max(1, ...before.sizes.map(({ rows }) => rows), ...after.sizes.map(({ rows }) => rows))
  const bar = (x: number, rows: number, kind: string) => {
    const height = (rows / most) * HEIGHT
    return `<rect class="${kind}" x="${x}" y="${(HEIGHT + 10 - height).toFixed(1)}" width="${BAR}" height="${height.toFixed(1)}"><title>${count(rows)}</title></rect>`
  }
  const groups = before.sizes.map(({ from, to, rows }, at) => {
    const x = 10 + at * GROUP
    const label = to === null ? `≥ ${from}` : to === from ? String(from) : `${from}–${to}`
    return [
      bar(x, rows, 'before'),
      bar(x + BAR + 2, after.sizes[at]!.rows, 'after'),
      `<text x="${x + BAR}" y="${HEIGHT + 26}" text-anchor="middle">${label}</text>`,
    ].join('')
  })
  const width = 20 + before.sizes.length * GROUP
  return `<svg viewBox="0 0 ${width} ${HEIGHT + 34}" width="${width}" role="img" aria-label="${escaped(t.byClassSize)}">${groups.join('')}</svg>
<p><span class="key before"></span> ${escaped(t.before)} <span class="key after"></span> ${escaped(t.after)}</p>`
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function decimal(value: number): string {
  return value.toFixed(2)
}

function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : `${(value * 100).toFixed(2)} %`
}

function escaped(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

const STYLE = `
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733 }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem } h3 { font-size: 1rem }
.passed, .failed { padding: .6rem 1rem; border-left: 4px solid #1a7f4b; background: #edf8f1 }
.failed { border-color: #b3261e; background: #fdeeed }
table { border-collapse: collapse } td, th { padding: .25rem 1rem .25rem 0; text-align: left; border-bottom: 1px solid #dfe4ea; overflow-wrap: anywhere }
svg { max-width: 100%; height: auto } svg text { font-size: 10px; fill: #475569 }
.before { fill: #b8c2cf; background: #b8c2cf } .after { fill: #2563a8; background: #2563a8 }
.key { display: inline-block; width: .8em; height: .8em; margin-left: 1em }
@media print { body { margin: 0 } }
`
