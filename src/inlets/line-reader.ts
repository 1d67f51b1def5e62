import { Buffer } from 'node:buffer'
import type { TextEncoding } from '../text-encoding.js'

const EMPTY = Buffer.alloc(0)
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Cuts the bytes of a file into lines. Only whole lines are decoded, so a character is never cut in two. What is
 * taken counts only once it is committed: until then it can be taken again.
 *
 * ```
 *            position   cursor      searched
 *               │          │           │
 *   ...committed│ taken    │ no newline│ not looked at yet
 *               └──────── pending ───────────────────────┘ end
 * ```
 */
export class LineReader {
  readonly #encoding: TextEncoding
  readonly #newline: number
  #position: number
  #pending: Buffer = EMPTY
  #cursor = 0
  #searched = 0

  /** @param position - byte of the file at which it starts */
  constructor(encoding: TextEncoding, position: number) {
    this.#encoding = encoding
    this.#newline = Buffer.byteLength('\n', encoding)
    this.#position = position
  }

  /** Byte of the file before which every line is committed. */
  get position(): number {
    return this.#position
  }

  /** Byte of the file up to which it was fed. */
  get end(): number {
    return this.#position + this.#pending.length
  }

  /** Takes the bytes of the file that follow {@link LineReader.end}. */
  feed(bytes: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, bytes])
  }

  /** The next line, without its line end; `undefined` when no whole line is left. */
  take(): string | undefined {
    const at = this.#pending.indexOf('\n', this.#searched, this.#encoding)
    if (at === -1) {
      // the last unit may be half there
      this.#searched = this.#pending.length - (this.#pending.length % this.#newline)
      return undefined
    }
    const line = this.#pending.toString(this.#encoding, this.#cursor, at)
    const first = this.#position + this.#cursor === 0
    this.#cursor = this.#searched = at + this.#newline
    return withoutReturn(first ? withoutMark(line) : line)
  }

  /** Lets go of the lines taken. */
  commit(): void {
    this.#position += this.#cursor
    this.#pending = this.#pending.subarray(this.#cursor)
    this.#searched -= this.#cursor
    this.#cursor = 0
  }

  /** Puts the lines taken back. */
  rollback(): void {
    this.#cursor = this.#searched = 0
  }
}

/** `text` without the byte order mark that some editors put at the start of a file. */
export function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
