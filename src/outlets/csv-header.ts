import { Buffer } from 'node:buffer'
import { open, type FileHandle } from 'node:fs/promises'
import { isMissing } from './real-target.js'

/** How a CSV file begins, and how it ends. */
export interface CsvHeader {
  readonly columns: readonly string[]
  /** Whether the last line has a line end. Without one, a row would be added to that line. */
  readonly endsLine: boolean
}

/** Bytes that are read at once, and most bytes that a header can have. */
const CHUNK = 65_536
const LONGEST = 1_048_576

/**
 * Reads the header of a CSV file.
 *
 * @returns `undefined` when there is no such file, or nothing in it
 */
export async function readHeader(file: string): Promise<CsvHeader | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (size === 0) return undefined
    const columns = await readColumns(handle, size)
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
    return { columns, endsLine: buffer.toString('latin1') === '\n' }
  } finally {
    await handle.close()
  }
}

async function readColumns(handle: FileHandle, size: number): Promise<readonly string[]> {
  for (let length = Math.min(size, CHUNK); ; length = Math.min(size, length * 2)) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
    const isWhole = length === size
    const columns = parseHeader(buffer.toString('utf8', 0, bytesRead), isWhole)
    if (columns !== undefined) return columns
    if (isWhole || length >= LONGEST) throw new Error('its header cannot be read')
  }
}

/** One name and what ends it. In quotes, anything may stand, and two quotes are one. */
const NAME = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/gy

/**
 * The names in the first line of a CSV text.
 *
 * @param isWhole - whether the text has an end, and was not cut off
 * @returns `undefined` when the line is broken, or not all there
 */
export function parseHeader(text: string, isWhole: boolean): string[] | undefined {
  const names: string[] = []
  for (const [, quoted, bare, end] of text.replace(/^\uFEFF/, '').matchAll(NAME)) {
    names.push(quoted?.replaceAll('""', '"') ?? bare ?? '')
    if (end === ',') continue
    return end === '' && !isWhole ? undefined : names
  }
  return undefined
}
