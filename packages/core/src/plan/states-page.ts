import { mayDo, REQUEST_EVENTS, REQUEST_STATES, type RequestEvent, ROLES, TRANSITIONS } from './states.js'

/** The states of a request as a page of documentation: a Mermaid diagram and two tables, generated from the table. */
export function requestStatesPage(): string {
  const events = Object.keys(REQUEST_EVENTS) as RequestEvent[]
  const final = REQUEST_STATES.filter(state => !TRANSITIONS.some(({ from }) => from === state))
  return `# States of a request

<!-- Generated from packages/core/src/plan/states.ts by packages/core/scripts/generate.mjs; do not edit. -->

\`\`\`mermaid
stateDiagram-v2
  [*] --> ${REQUEST_STATES[0]}
${TRANSITIONS.map(({ from, event, to }) => `  ${from} --> ${to}: ${event}`).join('\n')}
${final.map(state => `  ${state} --> [*]`).join('\n')}
\`\`\`

## May this state do it

${table(
  ['state', ...events],
  REQUEST_STATES.map(state => [
    state,
    ...events.map(event => TRANSITIONS.find(row => row.from === state && row.event === event)?.to ?? ''),
  ]),
)}

## May this person do it

${table(
  ['event', 'meaning', ...ROLES],
  events.map(event => [
    event,
    REQUEST_EVENTS[event].meaning,
    ...ROLES.map(role => (mayDo(role, event) ? 'yes' : '')),
  ]),
)}

An event that no role may cause happens by itself. Besides the role, an approver must be one whom a policy asks, and
never the consumer who made the request.
`
}

/** Padded, as the formatter writes tables. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, index) => Math.max(3, cell.length, ...rows.map(row => row[index]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
