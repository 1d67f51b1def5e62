import { show } from '../../base/errors.js'
import { decodeText, encodingOf, markOf, type DecodedText } from '../charsets.js'
import { guessUtf16, isUtf32 } from '../unicode.js'
import { BodyError } from './errors.js'

/**
 * Decodes a body: as its byte order mark says, or else in the charset of its `content-type`, or else as UTF-8.
 *
 * @param contentType - header of the response
 * @param chosen - encoding that holds instead of the header's charset
 * @throws {@link BodyError} when nothing says in which charset it is, and UTF-8 is wrong
 */
export function bodyText(
  body: Uint8Array,
  contentType: string | readonly string[] | undefined,
  chosen?: string,
): DecodedText {
  if (isUtf32(body)) throw new BodyError('its body begins with the byte order mark of utf-32, which cannot be read')
  const mark = markOf(body)
  if (mark !== undefined) return decodeText(body, mark.encoding)
  const charset = chosen === undefined ? charsetIn(contentType) : undefined
  const named = chosen ?? encodingOf(charset ?? '')
  const decoded = decodeText(body, named ?? 'utf-8')
  if (named === undefined && charset !== undefined && decoded.replaced > 0) {
    throw new BodyError(`its charset ${show(charset)} is unknown, and its body is not UTF-8: see the option charset`)
  }
  const utf16 = named === undefined || named === 'utf-8' ? guessUtf16(body) : undefined
  if (utf16 !== undefined) throw new BodyError(`its body is not UTF-8, but looks like ${utf16}: see the option charset`)
  return decoded
}

/**
 * How a body of lines is to be decoded line by line, by its first bytes: with this encoding chosen; `undefined` when lines
 * cannot be found by their bytes, or the body is not what it seems.
 */
export function lineCharset(
  body: Uint8Array,
  contentType: string | readonly string[] | undefined,
  chosen?: string,
): { readonly charset: string | undefined } | undefined {
  if (isUtf32(body)) return undefined
  const mark = markOf(body)?.encoding
  const named = mark ?? chosen ?? encodingOf(charsetIn(contentType) ?? '')
  const isGuess = mark === undefined && (named === undefined || named === 'utf-8')
  if ((isGuess && guessUtf16(body) !== undefined) || /^(?:utf-16|iso-2022)/.test(named ?? '')) return undefined
  return { charset: mark ?? chosen }
}

/** Charset of a `content-type`, which may have come several times: the last one, unless that is of another type. */
function charsetIn(header: string | readonly string[] | undefined): string | undefined {
  let type: string | undefined
  let charset: string | undefined
  for (const value of split([header ?? []].flat().join(','), ',')) {
    if (value.trim() === '') continue
    const [first = '', ...parameters] = split(value, ';')
    const own = [first, ...parameters].map((parameter) => CHARSET.exec(parameter)?.[1]).find((one) => one !== undefined)
    const essence = first.trim().toLowerCase()
    if (essence !== type) charset = undefined
    type = essence
    charset = own ?? charset
  }
  return charset
}

const CHARSET = /^\s*charset\s*=\s*(.*?)\s*$/is

/** Parts of a header between separators. Those within quotes do not count. */
function split(header: string, separator: ',' | ';'): readonly string[] {
  return header.match(separator === ',' ? BETWEEN_COMMAS : BETWEEN_SEMICOLONS) ?? []
}

const BETWEEN_COMMAS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g
const BETWEEN_SEMICOLONS = /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g
