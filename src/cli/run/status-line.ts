import type { TextStream } from '../process-context.js'

const CLEAR = '\r\u001b[2K'
const CLEAR_TO_END = '\u001b[K'

/**
 * Status line at the bottom of a terminal, rewritten in place. Streams that write to the same terminal are guarded: the
 * line is cleared before they write and drawn again after, so neither spoils the other.
 *
 * While the last text that was written has not ended its line, the status is not shown: there is no line for it.
 */
export class StatusLine {
  readonly #terminal: TextStream
  readonly #write: TextStream['write']
  readonly #unguard: (() => void)[] = []
  #text = ''
  #shown = false
  #atLineStart = true
  #redraw: NodeJS.Immediate | undefined

  /**
   * @param terminal - stream of the terminal
   * @param others - further streams that may write to the same terminal
   */
  constructor(terminal: TextStream, others: readonly TextStream[]) {
    this.#terminal = terminal
    this.#write = terminal.write.bind(terminal)
    for (const stream of new Set([terminal, ...others])) this.#guard(stream)
  }

  /** Number of characters that fit: one less than there are columns, as a full line may already break. */
  get width(): number {
    return (this.#terminal.columns || 80) - 1
  }

  /** Shows a text, which must be one line that fits. */
  show(text: string): void {
    if (text === this.#text && this.#shown) return
    this.#text = text
    this.#draw()
  }

  /** Removes the line, for good. */
  close(): void {
    clearImmediate(this.#redraw)
    this.#clear()
    this.#text = ''
    for (const unguard of this.#unguard.splice(0)) unguard()
  }

  #guard(stream: TextStream): void {
    // called as a method of its stream below, and put back as it was
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const write = stream.write
    const own = Object.hasOwn(stream, 'write')
    stream.write = (...args) => {
      this.#clear()
      this.#atLineStart = endsLine(args[0], this.#atLineStart)
      // many writes of one turn: one drawing
      this.#redraw ??= setImmediate(() => {
        this.#redraw = undefined
        if (!this.#shown) this.#draw()
      })
      return write.apply(stream, args)
    }
    this.#unguard.push(() => {
      if (own) stream.write = write
      else Reflect.deleteProperty(stream, 'write')
    })
  }

  #draw(): void {
    if (this.#text === '' || !this.#atLineStart) return
    this.#write(`\r${this.#text}${CLEAR_TO_END}`)
    this.#shown = true
  }

  #clear(): void {
    if (this.#shown) this.#write(CLEAR)
    this.#shown = false
  }
}

/** Whether the terminal is at the start of a line after `chunk`, colours left aside. */
function endsLine(chunk: string | Uint8Array, before: boolean): boolean {
  if (chunk.length === 0) return before
  const end = typeof chunk === 'string' ? chunk.slice(-20) : Buffer.from(chunk.subarray(-20)).toString('latin1')
  return /\n(\u001b\[[\d;]*m)*$/.test(end)
}
