import type { Row } from './campaign.js'

const COLUMNS: readonly (readonly [title: string, width: number, (row: Row) => string | number])[] = [
  ['kills of', -10, ({ kind }) => kind],
  ['outlet', -14, ({ outlet }) => outlet],
  ['records', 9, ({ records }) => records],
  ['dead', 6, ({ dead }) => dead],
  ['kills', 7, ({ kills }) => kills],
  ['lost', 6, ({ lost }) => lost],
  ['out of order', 14, ({ outOfOrder }) => outOfOrder],
  ['double', 8, ({ double }) => double],
  ['most of a kill', 16, ({ mostDouble }) => mostDouble],
  ['recovered in', 14, ({ recovery }) => `${recovery} ms`],
]

/** What came of all kills, a line for each kind and outlet. */
export function table(rows: readonly Row[]): string {
  const line = (cell: (column: (typeof COLUMNS)[number]) => string | number) =>
    COLUMNS.map((column) => {
      const text = String(cell(column))
      return column[1] < 0 ? text.padEnd(-column[1]) : text.padStart(column[1])
    }).join('')
  return [line(([title]) => title), ...rows.map((row) => line(([, , value]) => value(row)))].join('\n')
}
