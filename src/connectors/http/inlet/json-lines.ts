import { Buffer } from 'node:buffer'
import type { BigIntegers } from '../../big-integers.js'
import { bodyText } from '../body-text.js'
import { LATE, type BodyStream } from '../body-stream.js'
import { BodyError, HttpError, httpError } from '../errors.js'
import type { HttpResponse } from '../exchange.js'
import { parseLine } from '../format.js'

/** Bounds of a list: records, and characters of their lines. */
const LIST = { records: 1024, length: 262_144 }

/** Time from the first record of a list on for which others are waited for, in milliseconds. */
const WINDOW = 1000

/** Records of a body of JSON lines, which is read list by list. */
export class JsonLines {
  readonly #response: HttpResponse
  readonly #bigIntegers: BigIntegers
  readonly #body: BodyStream
  readonly #charset: string | undefined
  /** Bytes of a line that has not ended. */
  #begun: Uint8Array[] = []
  #lines: string[] = []
  /** Place of the next line among these. */
  #at = 0
  /** Number of lines that were read. */
  #number = 0
  #given = 0
  #ended = false
  #replaced = 0

  constructor(response: HttpResponse, bigIntegers: BigIntegers) {
    const { opened } = response
    if (opened === undefined) throw new TypeError('the body was read whole')
    this.#response = response
    this.#bigIntegers = bigIntegers
    this.#body = opened.stream
    this.#charset = opened.charset
  }

  /** Number of characters that became U+FFFD. */
  get replaced(): number {
    return this.#replaced
  }

  /** Number of bytes behind the packed ones that were left out. */
  get leftOut(): number {
    return this.#body.leftOut
  }

  /** Whether all records were given. */
  get isOver(): boolean {
    return this.#ended && this.#at >= this.#lines.length
  }

  /** Ends the connection, unless the body was read to its end. */
  close(): void {
    if (!this.#ended) this.#body.close()
  }

  /**
   * Reads the next records: as many as a list may have, or what came within a second; `undefined` at the end.
   *
   * @throws {@link HttpError}, or the reason of the pull's signal
   */
  async next(): Promise<unknown[] | undefined> {
    try {
      const list = await this.#next()
      this.#given += list?.length ?? 0
      return list
    } catch (thrown) {
      this.close()
      const { request, status } = this.#response
      const error =
        thrown instanceof BodyError ? httpError(request.url, 'body', thrown.message, { cause: thrown, status }) : thrown
      if (!(error instanceof HttpError) || this.#given === 0) throw error
      const message = `${error.message}, after ${this.#given} records: what has begun to stream is not requested again`
      throw new HttpError(error.failure, message, { cause: error, status })
    }
  }

  async #next(): Promise<unknown[] | undefined> {
    const list: unknown[] = []
    let length = 0
    let until = Infinity
    for (;;) {
      while (this.#at < this.#lines.length) {
        const line = this.#lines[this.#at++] as string
        this.#number++
        if (line.trim() === '') continue
        list.push(parseLine(line, this.#number, this.#bigIntegers))
        length += line.length
        if (list.length === LIST.records || length >= LIST.length) return list
      }
      if (this.#ended) return list.length > 0 ? list : undefined
      if (list.length > 0 && until === Infinity) until = performance.now() + WINDOW
      const piece = await this.#body.next(until === Infinity ? until : Math.max(0, until - performance.now()))
      if (piece === LATE) return list
      this.#take(piece)
    }
  }

  /** Takes bytes; `undefined` is the end. Lines that have ended can be read. */
  #take(piece: Uint8Array | undefined): void {
    this.#lines = []
    this.#at = 0
    this.#ended = piece === undefined
    const end = piece === undefined ? 0 : piece.lastIndexOf(0x0a) + 1
    if (piece !== undefined && end === 0) {
      this.#begun.push(piece)
      return
    }
    const parts = piece === undefined ? this.#begun : [...this.#begun, piece.subarray(0, end)]
    this.#begun = piece === undefined || end === piece.length ? [] : [piece.subarray(end)]
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    if (bytes.length === 0) return
    const { text, replaced } = bodyText(bytes, this.#response.headers['content-type'], this.#charset)
    this.#replaced += replaced
    this.#lines = text.split('\n')
    // behind the last line end there is no line
    if (!this.#ended) this.#lines.pop()
  }
}
