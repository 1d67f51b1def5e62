import { counted } from '../../base/counted.js'
import { failureText } from '../../core/report.js'
import type { ExplainedStage, Explanation, FieldChange, ShownRecord } from '../../threads/protocol/explanation.js'
import { spanText } from '../ledger/ledger-text.js'

type Color = 'red' | 'green' | 'yellow'

const CODES: { readonly [color in Color]: number } = { red: 31, green: 32, yellow: 33 }

/** A line, and its color where there are colors. */
export interface Line {
  readonly text: string
  readonly color?: Color
}

/** Lines that tell what one pull of a link comes to. */
export function explanationLines({ stages, cursors, errors, took }: Explanation): Line[] {
  const lines: Line[] = []
  for (const { inlet, value } of cursors ?? []) lines.push({ text: `cursor    ${inlet} begins at ${value}` })
  if (cursors?.length === 0) lines.push({ text: 'cursor    none is kept: inlets begin at the beginning' })
  for (const stage of stages) lines.push(...stageLines(stage))
  const other = errors.filter((error) => !stages.some((stage) => isOf(error, stage)))
  lines.push(...other.map((error): Line => ({ text: `error     ${failureText(error)}`, color: 'red' })))
  const outcome = errors.length === 0 ? 'nothing failed' : counted(errors.length, 'error')
  lines.push({ text: '' }, { text: `${outcome}, in ${spanText(took)}; no outlet was given anything` })
  return lines
}

function isOf({ node, stage }: { readonly node: string; readonly stage: string }, of: ExplainedStage): boolean {
  return node === of.node && stage === of.stage
}

/** A line with its color, as terminals show it. */
export function colored({ text, color }: Line): string {
  return color === undefined ? text : `\u001b[${CODES[color]}m${text}\u001b[39m`
}

function stageLines(stage: ExplainedStage): Line[] {
  const { node, outlet, shown, error } = stage
  const name = outlet === undefined ? node : `${node} of ${outlet}`
  const indent = outlet === undefined ? '' : '  '
  const head = `${indent}${stage.stage.padEnd(10 - indent.length)}${name}: ${countsText(stage)}`
  return [
    { text: head, ...(error === undefined ? {} : { color: 'red' as const }) },
    ...shown.flatMap((record) => recordLines(record, `${indent}          `)),
    ...moreLines(stage, `${indent}          `),
    ...(error === undefined
      ? []
      : [{ text: `${indent}          ${error.name}: ${error.message}`, color: 'red' as const }]),
  ]
}

function countsText(stage: ExplainedStage): string {
  const { calls, recordsIn, recordsOut, changed, dropped, added, held, batches, took, error } = stage
  const often = calls > 1 ? ` in ${calls} calls` : ''
  const time = took >= 1 ? `, ${spanText(took)}` : ''
  if (calls === 0) return 'not reached'
  switch (stage.stage) {
    case 'pull':
      return error === undefined ? `${counted(recordsOut, 'record')}${time}` : `failed${time}`
    case 'group':
      return `${counted(recordsIn, 'record')} in ${batchesText(batches)}${time}`
    case 'push':
      return `would be given ${counted(recordsIn, 'record')} in ${batchesText(batches)}`
    case 'process': {
      if (error !== undefined) return `failed on ${counted(recordsIn, 'record')}${often}${time}`
      const parts = [
        [dropped, 'dropped'],
        [added, 'added'],
        [changed, 'changed'],
        [held, 'held back'],
      ] as const
      const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
      return `${counted(recordsIn, 'record')} > ${recordsOut}${often}, ${told.length === 0 ? 'unchanged' : told.join(', ')}${time}`
    }
  }
}

function batchesText(batches: readonly number[]): string {
  const sizes = batches.slice(0, 10).join(', ') + (batches.length > 10 ? ', ...' : '')
  return batches.length === 1 ? '1 batch' : `${batches.length} batches (${sizes})`
}

const MARKS: { readonly [kind in ShownRecord['kind']]: Line } = {
  pulled: { text: ' ' },
  same: { text: '=' },
  changed: { text: '~', color: 'yellow' },
  dropped: { text: '-', color: 'red' },
  held: { text: '.' },
  added: { text: '+', color: 'green' },
  batch: { text: '#' },
  pushed: { text: '>' },
  failed: { text: '!', color: 'red' },
}

function recordLines({ kind, text, fields = [] }: ShownRecord, indent: string): Line[] {
  const { text: mark, color } = MARKS[kind]
  return [{ text: `${indent}${mark} ${text}`, ...(color && { color }) }, ...fields.map((one) => fieldLine(one, indent))]
}

function fieldLine({ field, before, after }: FieldChange, indent: string): Line {
  if (before === undefined) return { text: `${indent}    + ${field}: ${after}`, color: 'green' }
  if (after === undefined) return { text: `${indent}    - ${field}: ${before}`, color: 'red' }
  return { text: `${indent}    ~ ${field}: ${before} > ${after}`, color: 'yellow' }
}

function moreLines({ stage, shown, recordsIn, recordsOut, batches }: ExplainedStage, indent: string): Line[] {
  const all = {
    pull: recordsOut,
    group: batches.length,
    push: recordsIn,
    process: Math.max(recordsIn, recordsOut),
  }
  const more = all[stage] - shown.length
  return more > 0 && shown.length > 0 ? [{ text: `${indent}  and ${more} more` }] : []
}
