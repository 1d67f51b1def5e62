import path from 'node:path'
import type { Arguments } from './arguments.js'
import { showDelay } from './event-loop-delay.js'
import type { Outcome } from './run.js'
import type { Source } from './source.js'
import type { Totals } from './totals.js'
import { countRejections, type Written } from './verify.js'

const FILES_SHOWN = 6

/** Formats the line that is printed once a second. */
export function progressLine(totals: Totals, seconds: number, progress: number | undefined): string {
  const share = progress === undefined ? [] : [`${Math.floor(progress * 100)} % of the feed`.padStart(18)]
  return [
    `${Math.round(seconds)} s`.padStart(6),
    ...share,
    `${totals.written} events written`.padStart(20),
    `${totals.transfers} transfers`.padStart(15),
  ].join(' |')
}

/** Formats the text that is printed at the end. */
export function summary(options: Arguments, source: Source, outcome: Outcome, written: Written): string {
  const { totals, seconds, busy, delay } = outcome
  const lines: [string, string | number, string?][] = []
  if (source.features !== undefined) {
    const rejections = [...countRejections(source.features)]
    const rejected = rejections.reduce((sum, [, count]) => sum + count, 0)
    lines.push(['events in the feed', source.features.length])
    lines.push(['accepted', source.features.length - rejected])
    lines.push(['not accepted', rejected, rejections.map(([why, count]) => `${why} ${count}`).join(', ')])
  }
  lines.push(['written', totals.written, `to ${written.files.length} files, one per region`])
  for (const [file, rows] of written.files.slice(0, FILES_SHOWN)) lines.push(['', rows, file])
  const others = written.files.slice(FILES_SHOWN)
  if (others.length > 0) {
    const rows = others.reduce((sum, [, count]) => sum + count, 0)
    lines.push(['', rows, `${others.length} others`])
  }
  lines.push(['polls', totals.polls])
  lines.push(['transfers', totals.transfers, `${where(options)}, which the links held ${percent(busy)} of the time`])
  const table = lines.map(([name, value, note = '']) =>
    `  ${name.padEnd(20)}${String(value).padStart(6)}   ${note}`.trimEnd(),
  )
  return [
    '',
    `Done in ${seconds.toFixed(1)} s: ${outcome.ending}.`,
    '',
    ...table,
    '',
    `The main thread's event loop: ${showDelay(delay)}`,
    '  (from one firing of a 1 ms timer to the next: an idle loop shows a little over 1 ms)',
    `The files are in ${path.relative('.', options.out) || '.'}`,
  ].join('\n')
}

/** Says where the links run. */
export function where({ planner, threads }: Arguments): string {
  if (planner === 'schedule') return 'on the main thread'
  return threads === 1 ? 'in one worker thread' : `in ${threads} worker threads`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
