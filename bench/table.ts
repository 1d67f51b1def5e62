import type { Measurement } from './bench.js'
import type { Judged } from './targets.js'

/** Formats measurements as plain text: a block for each case, a line for each figure of each subject. */
export function describe(measurements: readonly Measurement[]): string {
  const cases = [...new Set(measurements.map((one) => one.case))]
  const blocks = cases.map((name) => {
    const rows = measurements
      .filter((one) => one.case === name)
      .map(({ subject, figure, unit, median, spread, ratios }) => [
        subject,
        figure,
        `${number(median)} ${unit}`,
        `± ${number(spread)}`,
        ratios.map(({ peer, ratio }) => `${number(ratio)} x ${peer}`).join('; '),
      ])
    return `${name}\n${columns(rows, [2, 3])}`
  })
  return blocks.join('\n\n')
}

/** Formats targets as plain text: what was measured, beside floor and aim. */
export function describeTargets(targets: readonly Judged[]): string {
  const head = ['', 'target', 'measured', 'floor', 'aim', '']
  const rows = targets.map(({ id, bench, what, value, unit, floor, aim, met, byCpu }) => [
    id,
    `${bench}: ${what}`,
    ...[value, floor, aim].map((one) => `${number(one)} ${unit}`),
    `${met === 'missed' ? 'MISSED' : `${met} met`}${byCpu ? ', by CPU' : ''}`,
  ])
  return columns([head, ...rows], [2, 3, 4])
}

/** Aligns rows of cells in columns; those of `right` are aligned to the right. */
function columns(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n')
}

/** Formats a number with three significant digits. */
export function number(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 4) })
}
