import { show } from '../../base/errors.js'
import { BodyError } from './body.js'

/** What a response can be. */
export const FORMATS = ['json', 'ndjson', 'text'] as const
export type HttpFormat = (typeof FORMATS)[number]

/** Most characters of a text that an error shows. */
const EXCERPT = 100

/**
 * What the text of a body says.
 *
 * @throws {@link BodyError} that shows a little of what is no JSON, never all of it
 */
export function parseText(format: HttpFormat, text: string): unknown {
  switch (format) {
    case 'json':
      return parseJson(text, '')
    case 'ndjson':
      return parseLines(text)
    case 'text':
      return text
  }
}

function parseLines(text: string): unknown[] {
  return text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [parseJson(line, ` in line ${at + 1}`)]))
}

/** The engine's own errors are not passed on, also not as a cause: they repeat a short text whole. */
function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as SyntaxError
    const reason = message.replace(/(^|, )(\.\.\.)?"[^]*$/, '').replace(/ in JSON at position .*$/, '')
    throw new BodyError(
      `Response does not contain valid JSON${where}: ${excerpt(text, positionIn(message, text))}${reason && ` (${reason})`}`,
    )
  }
}

/** Where a text is no JSON. The engine gives a position, or some characters about it, or says that it is the end. */
function positionIn(message: string, text: string): number {
  const position = / at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  if (message.startsWith('Unexpected end')) return text.length
  const about = /, (?:\.\.\.)?"([^]*)"(?:\.\.\.)? is not valid JSON$/.exec(message)?.[1]
  return about === undefined ? 0 : Math.max(0, text.indexOf(about))
}

/** A part of a text: what is about a position, and at most half of the text. */
function excerpt(text: string, position: number): string {
  const size = Math.min(EXCERPT, Math.ceil(text.length / 2))
  const start = Math.max(0, Math.min(position - Math.floor(size / 4), text.length - size))
  const end = start + size
  return `${start > 0 ? '\u2026' : ''}${show(text.slice(start, end))}${end < text.length ? '\u2026' : ''}`
}
