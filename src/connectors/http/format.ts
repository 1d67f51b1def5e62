import { show } from '../../base/errors.js'
import type { BigIntegers } from '../big-integers.js'
import { JsonNumberError, parseJson as parse } from '../parse-json.js'
import { BodyError } from './errors.js'

/** Formats of a response. */
export const FORMATS = ['json', 'ndjson', 'text'] as const
/** Format of a response. */
export type HttpFormat = (typeof FORMATS)[number]

/** What errors call that which is parsed. */
const SUBJECT = 'Response'

/** Most characters of a text that an error shows. */
const EXCERPT = 100

/**
 * Parses the text of a body.
 *
 * @throws {@link BodyError} that shows a little of a text that is not JSON, never all of it; or names the place of a
 * number that would change
 */
export function parseText(format: HttpFormat, text: string, bigIntegers: BigIntegers = 'error'): unknown {
  switch (format) {
    case 'json':
      return parseDocument(text, bigIntegers)
    case 'ndjson':
      return parseLines(text, bigIntegers)
    case 'text':
      return text
  }
}

function parseLines(text: string, bigIntegers: BigIntegers): unknown[] {
  // lines end in carriage returns alone where there is no newline
  return text.split(text.includes('\n') ? '\n' : '\r').flatMap((line, at) => {
    // trimming takes byte order marks away, too
    return line.trim() === '' ? [] : [parseLine(line, at + 1, bigIntegers)]
  })
}

/**
 * Parses one of the lines of a body.
 *
 * @param number - number of the line, from 1
 * @param subject - what has the lines, as errors call it
 * @throws {@link BodyError}, as {@link parseText} does
 */
export function parseLine(line: string, number: number, bigIntegers: BigIntegers, subject = SUBJECT): unknown {
  return parseJson(withoutMarks(line), ` in line ${number}`, bigIntegers, subject)
}

/**
 * Parses a text that is JSON as a whole.
 *
 * @param subject - what the text is of, as errors call it
 * @throws {@link BodyError}, as {@link parseText} does
 */
export function parseDocument(text: string, bigIntegers: BigIntegers, subject = SUBJECT): unknown {
  return parseJson(withoutMarks(text), '', bigIntegers, subject)
}

/** Text without the byte order marks at its start. Files that were put together have more than one. */
function withoutMarks(text: string): string {
  return text.startsWith('\uFEFF') ? text.replace(/^\uFEFF+/, '') : text
}

/** Parses JSON. The errors of the engine are not passed on, not even as a cause: they repeat a short text whole. */
function parseJson(text: string, where: string, bigIntegers: BigIntegers, subject: string): unknown {
  try {
    return parse(text, bigIntegers)
  } catch (error) {
    if (error instanceof JsonNumberError) {
      throw new BodyError(
        `${subject} has a number that would change${where}: ${error.message} (see the option bigIntegers)`,
      )
    }
    if (error instanceof RangeError) {
      throw new BodyError(`${subject} is nested too deeply${where} to read its large numbers exactly`)
    }
    if (!(error instanceof SyntaxError)) throw error
    const { message } = error
    const reason = message.replace(/(^|, )(\.\.\.)?"[^]*$/, '').replace(/ in JSON at position .*$/, '')
    throw new BodyError(
      `${subject} does not contain valid JSON${where}: ${excerpt(text, positionIn(message, text))}${reason && ` (${reason})`}`,
    )
  }
}

/**
 * Place at which a text is not JSON. The engine gives a position, or some characters around it, or says that it is the
 * end.
 */
function positionIn(message: string, text: string): number {
  const position = / at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  if (message.startsWith('Unexpected end')) return text.length
  const about = /, (?:\.\.\.)?"([^]*)"(?:\.\.\.)? is not valid JSON$/.exec(message)?.[1]
  return about === undefined ? 0 : Math.max(0, text.indexOf(about))
}

/** Part of a text around a position, at most half of the text. */
function excerpt(text: string, position: number): string {
  const size = Math.min(EXCERPT, Math.ceil(text.length / 2))
  const start = Math.max(0, Math.min(position - Math.floor(size / 4), text.length - size))
  const end = start + size
  return `${start > 0 ? '\u2026' : ''}${show(text.slice(start, end))}${end < text.length ? '\u2026' : ''}`
}
