import { inspect } from 'node:util'
import { checkBoolean, checkOptions } from '../check.js'
import { InvalidOptionError } from '../errors.js'
import { Outlet, type OutletOptions } from '../outlet.js'
import type { Record } from '../record.js'
import type { Update } from '../update.js'

/** What {@link PrintOutlet} writes to: the part of a writable stream that it uses. */
export interface PrintStream {
  /** Calls `done` when the text is written, with the error if it is not. */
  write(text: string, done: (error?: Error | null) => void): unknown
}

export interface PrintOutletOptions extends OutletOptions {
  /**
   * Whether only the payload of a record is printed, without its metadata.
   * @default false
   */
  readonly onlyPayload?: boolean
  /**
   * Whether the update, like `random_ints.2`, is left out in front of each record.
   * @default false
   */
  readonly skipUpdate?: boolean
  /**
   * Where to print.
   * @default process.stdout
   */
  readonly stream?: PrintStream
}

/**
 * Prints each record on a line of its own: `random_ints.2 Record { payload: 5, metadata: { … } }`.
 *
 * A batch is one text, and a push ends when the stream has taken it: what a thread prints would be lost if the
 * thread ended before.
 */
export class PrintOutlet extends Outlet {
  readonly #onlyPayload: boolean
  readonly #skipUpdate: boolean
  readonly #stream: PrintStream

  /** @throws {@link InvalidOptionError} */
  constructor(options: PrintOutletOptions = {}) {
    super(checkOptions('PrintOutlet', options, ['processors', 'onlyPayload', 'skipUpdate', 'stream']))
    this.#onlyPayload = checkBoolean('PrintOutlet.onlyPayload', options.onlyPayload, false)
    this.#skipUpdate = checkBoolean('PrintOutlet.skipUpdate', options.skipUpdate, false)
    this.#stream = checkStream(options.stream ?? process.stdout)
  }

  push(records: Record[], update: Update): Promise<void> {
    const prefix = this.#skipUpdate ? '' : `${String(update)} `
    const lines = records.map((record) => `${prefix}${toText(this.#onlyPayload ? record.payload : record)}\n`)
    return new Promise((resolve, reject) => {
      this.#stream.write(lines.join(''), (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  override saveState(): unknown {
    return undefined
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: Infinity, breakLength: Infinity, compact: true })
}

function checkStream(stream: unknown): PrintStream {
  const hasWrite =
    typeof stream === 'object' && stream !== null && 'write' in stream && typeof stream.write === 'function'
  if (!hasWrite) throw new InvalidOptionError('PrintOutlet.stream', 'a writable stream', stream)
  return stream as PrintStream
}
