import { ConfigError, isError, LinkModuleError, toError } from '../base/errors.js'
import type { LogLevel } from '../base/log.js'
import { scrub } from '../base/scrub.js'
import { TransferError } from '../core/report.js'

const MAX_DEPTH = 8

/** The error of a transfer as the command tells it: how to go on is said for programs, the command has its own ways. */
export function withoutAdvice<E extends Error>(error: E): E | TransferError {
  return error instanceof TransferError ? new TransferError(error.report) : error
}

/**
 * An error on one line, without secrets: its message, and the messages of its causes that say more. Source lines of syntax errors follow, in
 * lines of their own.
 *
 * `transfer todos.3 failed: HttpInlet failed to pull: fetch failed: connect ECONNREFUSED 127.0.0.1:80`
 *
 * @param end - what else to say at the end of the line
 */
export function errorLine(error: Error, end = ''): string {
  let line = ''
  const frames = new Set<string>()
  /** Causes of which all is said. */
  const toldInFull = new Set<unknown>()
  for (const one of chainOf(error)) {
    if (toldInFull.has(one)) continue
    const { text, frame } = withoutFrame(one.message === '' ? one.name : one.message)
    if (frame !== '') frames.add(frame)
    if ((one instanceof LinkModuleError || one instanceof ConfigError) && frame !== '') toldInFull.add(one.cause)
    const message = oneLine(text)
    // a message may name the outlet that the line names already
    if (!line.includes(message.replace(/^[A-Z]\w+: /, '')))
      line += `${line === '' ? '' : ': '}${placeOf(one, line)}${message}`
    const mistake = mistakeIn(one.stack)
    if (!line.includes(mistake)) line += mistake
  }
  return scrub([line + end, ...frames].join('\n'))
}

/** Takes the source lines out of a message about a syntax error: a line of the file and a caret, after an empty line. */
function withoutFrame(message: string): { readonly text: string; readonly frame: string } {
  let frame = ''
  const text = message.replaceAll(/\n\n( {4}.*\n +\^)(?=; |$)/g, (_all, found: string) => {
    frame = found
    return ''
  })
  return { text, frame }
}

/**
 * Place of a mistake in code that JavaScript noticed, such as a read of a property of `undefined`, for the end of a line;
 * `''` for other errors, and for errors of Node and of packages.
 */
export function mistakeIn(stack = ''): string {
  if (!/^(TypeError|ReferenceError|RangeError)\b/.test(stack)) return ''
  const first = /^ +at (.*)$/m.exec(stack)?.[1] ?? ''
  const place = /file:\/\/[^()]+:\d+:\d+(?=\)?$)/.exec(first)?.[0]
  return place === undefined || place.includes('/node_modules/') ? '' : ` (${place})`
}

/** Node and stage of a failure, when the error has them and the line does not yet. */
function placeOf(error: Error, line: string): string {
  const { node, stage } = error as { node?: unknown; stage?: unknown }
  if (typeof node !== 'string' || typeof stage !== 'string' || line.includes(node)) return ''
  return `${node} failed to ${stage === 'shutdown' ? 'shut down' : stage}: `
}

/**
 * Stacks of an error and its causes, over many lines, without secrets.
 *
 * @param end - what else to say at the end of the first line
 */
export function errorStacks(error: Error, end = ''): string {
  const stacks = chainOf(error).map((one) => one.stack ?? `${one.name}: ${one.message}`)
  return scrub(stacks.join('\ncaused by: ').replace(/^.*/, (first) => first + end))
}

/** Whether errors are told with their stacks at a log level. */
export function showsStacks(level: LogLevel | undefined): boolean {
  return level === 'debug' || level === 'trace'
}

/** The error, what caused it, what caused that; the errors of an `AggregateError` count as causes. */
function chainOf(error: Error, above: readonly Error[] = []): Error[] {
  if (above.includes(error) || above.length >= MAX_DEPTH) return []
  const path = [...above, error]
  const parts: unknown[] = error instanceof AggregateError ? error.errors : []
  const causes = [...parts.map(toError), ...(isError(error.cause) ? [error.cause] : [])]
  return [error, ...causes.flatMap((cause) => chainOf(cause, path))]
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
