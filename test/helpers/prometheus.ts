import { createRequire } from 'node:module'

/** A metric as the parser gives it. */
export interface ParsedMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly metrics: readonly ParsedSample[]
}

export interface ParsedSample {
  readonly value?: string
  readonly labels?: { readonly [name: string]: string }
  readonly buckets?: { readonly [le: string]: string }
  readonly count?: string
  readonly sum?: string
}

const require = createRequire(import.meta.url)
const parser = require('parse-prometheus-text-format') as { readonly default?: Parse } & Parse
type Parse = (text: string) => ParsedMetric[]

/** Parses a text of metrics with a parser of others. */
export function parseMetrics(text: string): ParsedMetric[] {
  return (parser.default ?? parser)(text)
}

/** Value of a sample of a metric; `undefined` when there is none with these labels. */
export function valueOf(text: string, name: string, labels: { readonly [name: string]: string } = {}) {
  const samples = parseMetrics(text).find((metric) => metric.name === name)?.metrics ?? []
  const wanted = Object.entries(labels)
  const found = samples.find((sample) => wanted.every(([label, value]) => sample.labels?.[label] === value))
  return found?.value === undefined ? undefined : Number(found.value)
}

/**
 * Cumulative buckets, sum and count of a histogram, by the end of its lines' names. The parser mixes those of several labels.
 *
 * @param labels - labels of the series as they are in the text, without `le`
 */
export function histogramOf(text: string, name: string, labels: string): { readonly [line: string]: number } {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}_`))
  const own = lines.map((line) => /^(\S+?)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [])
  const pairs = own.map(([, full = '', all = '', value]) => {
    const [, before = '', le] = /^(.*?),?le="([^"]+)"$/.exec(all) ?? [undefined, all, undefined]
    return before === labels ? [[le ?? full.slice(name.length + 1), Number(value)] as const] : []
  })
  return Object.fromEntries(pairs.flat())
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y
const UNITS = /milli|micro|_ms\b|minutes|hours|kilo|mega|percent/

/**
 * What is wrong with a text of metrics, by the format's own rules and those of `promtool check metrics`: empty when nothing
 * is.
 */
export function lintMetrics(text: string): string[] {
  const faults: string[] = []
  if (!text.endsWith('\n')) faults.push('the last line does not end')
  const types = new Map<string, string>()
  const helps = new Set<string>()
  const ended = new Set<string>()
  const series = new Set<string>()
  const buckets = new Map<string, { readonly le: number; readonly count: number }[]>()
  const counts = new Map<string, number>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, metric = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind !== undefined) {
      if (metric !== current) {
        ended.add(current)
        if (ended.has(metric)) faults.push(`${metric} is in two places`)
        current = metric
      }
      if (kind === 'HELP' && (helps.has(metric) || rest === '')) faults.push(`${metric}: help twice or empty`)
      if (kind === 'TYPE' && types.has(metric)) faults.push(`${metric}: type twice`)
      if (kind === 'HELP') helps.add(metric)
      else types.set(metric, rest)
      if (!NAME.test(metric)) faults.push(`${metric} is no name`)
      if (UNITS.test(metric)) faults.push(`${metric} has no base unit`)
      if (kind === 'TYPE' && (rest === 'counter') !== metric.endsWith('_total')) faults.push(`${metric}: _total`)
      if (/_(gauge|counter|histogram|info_total)$/.test(metric)) faults.push(`${metric} has its type in its name`)
      continue
    }
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? []
    if (name === undefined) {
      faults.push(`no sample: ${line}`)
      continue
    }
    const isHistogram = types.get(current) === 'histogram'
    const ofMetric = isHistogram ? name.replace(/_(bucket|sum|count)$/, '') : name
    if (ofMetric !== current || !helps.has(current) || !types.has(current)) faults.push(`${name} is of no metric`)
    if (Number.isNaN(Number(value.replace('Inf', 'Infinity')))) faults.push(`${line}: no number`)
    if (types.get(current) === 'counter' && !(Number(value) >= 0)) faults.push(`${line}: a counter below 0`)
    if (series.has(name + labels)) faults.push(`${name}${labels} is there twice`)
    series.add(name + labels)
    const names = labelNames(labels)
    if (names === undefined) faults.push(`${line}: labels`)
    else if (new Set(names).size !== names.length) faults.push(`${line}: a label twice`)
    if (!isHistogram) continue
    const le = /,?le="([^"]+)"/.exec(labels)
    const key = ofMetric + labels.replace(le?.[0] ?? '', '').replace('{}', '')
    if (name.endsWith('_bucket')) {
      const list = buckets.get(key) ?? []
      list.push({ le: Number(le?.[1]?.replace('+Inf', 'Infinity')), count: Number(value) })
      buckets.set(key, list)
    }
    if (name.endsWith('_count')) counts.set(key, Number(value))
  }
  for (const [key, list] of buckets) {
    for (const [at, { le, count }] of list.entries()) {
      const before = list[at - 1]
      if (before !== undefined && !(le > before.le && count >= before.count)) faults.push(`${key}: not cumulative`)
    }
    const last = list.at(-1)
    if (last?.le !== Infinity || last.count !== counts.get(key)) faults.push(`${key}: +Inf is not the count`)
  }
  for (const name of types.keys()) if (!helps.has(name)) faults.push(`${name} has no help`)
  return faults
}

function labelNames(labels: string): string[] | undefined {
  if (labels === '') return []
  const names: string[] = []
  LABEL.lastIndex = 0
  const inside = labels.slice(1, -1)
  for (let at = 0; at < inside.length;) {
    LABEL.lastIndex = at
    const [all, name] = LABEL.exec(inside) ?? []
    if (all === undefined || name === undefined) return undefined
    names.push(name)
    at += all.length
  }
  return names
}
