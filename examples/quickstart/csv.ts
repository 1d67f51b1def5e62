import { readFile } from 'node:fs/promises'

/** Row of a CSV file: cells by column. */
export interface Row {
  readonly [column: string]: string
}

/** Reads a CSV file whose first row names the columns. */
export async function readCsv(file: string): Promise<Row[]> {
  const [header, ...rows] = parseCsv(await readFile(file, 'utf8'))
  if (header === undefined) return []
  return rows.map((cells, index) => {
    if (cells.length !== header.length) {
      throw new Error(`${file}: row ${index + 2} has ${cells.length} cells, expected ${header.length}`)
    }
    return Object.fromEntries(header.map((column, at) => [column, cells[at] ?? '']))
  })
}

/** Parses CSV as RFC 4180 has it, with `"` around a cell that holds a comma, a line end or a `""`. Gives the cells by row. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let cells: string[] = []
  // a cell, and what ends it: a comma, a line end, or the end of the text
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const match = cell.exec(text)
    if (match === null) throw new Error(`no CSV at character ${at}`)
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === ',' && cell.lastIndex < text.length) continue
    if (match[3] === ',') cells.push('')
    rows.push(cells)
    cells = []
  }
  return rows
}
