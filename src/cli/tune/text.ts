import { counted } from '../../base/counted.js'
import { printable } from '../../base/printable.js'
import { shortNumber } from '../run/status-text.js'
import { namer } from './recommendation.js'
import type { TuneResult, TunedSetting } from './result.js'

const MIB = 2 ** 20

/** A bar of a chart. */
export interface Bar {
  readonly label: string
  readonly value: number
  readonly text: string
}

/** Parts of a full block, in eighths. */
const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/**
 * Draws bars of one scale, the longest as long as there is room for.
 *
 * @param width - width of a line, in characters
 */
export function chart(title: string, bars: readonly Bar[], width: number): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const [labels, texts] = [longest(bars.map(({ label }) => label)), longest(bars.map(({ text }) => text))]
  const room = Math.max(1, width - labels - texts - 4)
  const lines = bars.map(({ label, value, text }) => {
    const eighths = most > 0 ? Math.round((8 * room * value) / most) : 0
    const bar = '█'.repeat(Math.floor(eighths / 8)) + (BLOCKS[eighths % 8] ?? '')
    return `  ${label.padStart(labels)} ${bar} ${text}`
  })
  return [title, ...lines, ''].join('\n')
}

/** Draws columns as wide as they need to be, all aligned to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => longest(rows.map((row) => row[column] ?? '')))
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
  return [...lines, ''].join('\n')
}

/** The result of `databay tune` as text. */
export function tuneText(result: TuneResult, width: number): string {
  const { settings, links, cores, rounds, seconds, push, reason, notes } = result
  const what = `${counted(links, 'link')}, ${counted(cores, 'core')}, ${counted(rounds, 'round')} of ${seconds / rounds} s for each setting`
  const name = namer(settings)
  const bars = (value: (setting: TunedSetting) => number, text: (value: number) => string): Bar[] =>
    settings.map((setting) => ({ label: name(setting), value: value(setting), text: text(value(setting)) }))
  return [
    `${what}; ${push ? 'outlets pushed' : 'outlets were given nothing'}\n`,
    table([
      ['', 'records/s', 'transfers/s', 'gets done', 'main thread p99', 'memory', 'busy'],
      ...settings.map((setting) => [
        name(setting),
        shortNumber(setting.recordsPerSecond),
        shortNumber(setting.transfersPerSecond),
        `${setting.speedUp.toFixed(2)} ×`,
        milliseconds(setting.delay),
        mebibytes(setting.memory),
        shares(setting.utilization),
      ]),
    ]),
    chart(
      'records/s',
      bars(({ recordsPerSecond }) => recordsPerSecond, shortNumber),
      width,
    ),
    chart(
      'delay of the main thread, p99',
      bars(({ delay }) => delay, milliseconds),
      width,
    ),
    chart(
      'memory of the threads',
      bars(({ memory }) => memory, mebibytes),
      width,
    ),
    chart(
      'threads busy',
      bars(({ utilization }) => mean(utilization), percent),
      width,
    ),
    [reason, ...notes.map(printable), ''].join('\n'),
  ].join('\n')
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length))
}

/** Mean of values; 0 of none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

/** Utilization of threads: `98, 97 %`, or for many threads `95 to 98 %`. */
function shares(utilization: readonly number[]): string {
  const percents = utilization.map((share) => Math.round(100 * share))
  if (percents.length <= 4) return `${percents.join(', ')} %`
  return `${Math.min(...percents)} to ${Math.max(...percents)} %`
}
