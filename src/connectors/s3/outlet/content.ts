import type { Buffer } from 'node:buffer'
import { InvalidPayloadError } from '../../../core/partial-push.js'
import { RowTaker } from '../../csv/row-taker.js'
import { RowWriter } from '../../csv/row-writer.js'
import { columnsOf, headerText } from '../../csv/rows.js'
import { encode, PART_LENGTH } from '../../files/encode.js'
import { jsonText, lineText } from '../../json-text.js'
import type { ContentStyle } from './content-style.js'

/** Content of one object, which grows record by record. */
export class Content {
  readonly #style: ContentStyle
  readonly #taker: RowTaker | undefined
  #writer: RowWriter | undefined
  #isBegun = false
  #text = ''
  #chunks: Buffer[] = []

  constructor(style: ContentStyle) {
    this.#style = style
    if (style.format === 'csv') this.#taker = new RowTaker(style.csv, style.columns)
  }

  /** Whether it has no record. */
  get isEmpty(): boolean {
    return !this.#isBegun
  }

  /**
   * Adds a record. It shares nothing with the payload afterwards.
   *
   * @throws {@link InvalidPayloadError} when it cannot be written; then nothing was added
   */
  add(payload: unknown): void {
    const text = this.#textOf(payload)
    this.#isBegun = true
    // before the text is added: it may be nearly as long as a string can be
    if (this.#text !== '' && this.#text.length + text.length >= PART_LENGTH) this.#encode()
    this.#text += text
  }

  /** Takes the bytes that were added since the last time. */
  take(): Buffer[] {
    if (this.#text !== '') this.#encode()
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  /** Ends the content: nothing may be added any more. */
  end(): void {
    if (this.#style.format === 'json') this.#text += '\n]\n'
  }

  #encode(): void {
    this.#chunks.push(encode('S3Outlet', this.#text, 'utf-8'))
    this.#text = ''
  }

  #textOf(payload: unknown): string {
    const { format, serialize } = this.#style
    switch (format) {
      case 'jsonl':
        return `${jsonText('S3Outlet', payload, serialize)}\n`
      case 'json':
        return `${this.#isBegun ? ',\n' : '[\n'}${jsonText('S3Outlet', payload, serialize)}`
      case 'text':
        return wellFormed(`${lineText('S3Outlet', payload, serialize)}\n`)
      case 'csv':
        return wellFormed(this.#row(payload))
    }
  }

  #row(payload: unknown): string {
    const { csv, columns } = this.#style
    try {
      const row = (this.#taker as RowTaker).take(payload)
      if (this.#writer !== undefined) return this.#writer.text(row)
      const names = columns ?? columnsOf(row)
      const writer = new RowWriter(names, csv)
      const text = wellFormed(`${headerText(names, csv)}${writer.text(row)}`)
      this.#writer = writer
      return text
    } catch (thrown) {
      if (!(thrown instanceof InvalidPayloadError)) throw thrown
      const message = thrown.message.replace(/^CsvOutlet: /, 'S3Outlet: ').replaceAll('of the file', 'of the object')
      throw new InvalidPayloadError(message, { cause: thrown })
    }
  }
}

/** @throws {@link InvalidPayloadError} on half of a character, which UTF-8 does not have */
function wellFormed(text: string): string {
  if (!text.isWellFormed()) encode('S3Outlet', text, 'utf-8')
  return text
}
