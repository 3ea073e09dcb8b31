import Table from 'cli-table3'

export interface GridColumn {
  readonly head: string
  readonly align?: 'left' | 'right'
}

const NO_LINES = Object.fromEntries(
  ['top', 'bottom', 'left', 'right']
    .flatMap(side => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .map(name => [name, '']),
)

/** Rows under a header and a line, two spaces between columns, East Asian characters counted as two. */
export function grid(columns: readonly GridColumn[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map(column => column.head),
    colAligns: columns.map(column => column.align ?? 'left'),
    chars: { ...NO_LINES, mid: '─', 'mid-mid': '──', middle: '  ' },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...rows.map(row => [...row]))
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}
