import { constants } from 'node:buffer'
import { inspect } from 'node:util'
import { InvalidOptionError } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import { custom, flag, resolveOptions, type Spec } from '../../base/options.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { Outlet, OUTLET_OPTIONS, type OutletOptions } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { print, type PrintStream } from './print-stream.js'
import { standardOutput } from './standard-output.js'

/** Options of {@link PrintOutlet}. */
export interface PrintOutletOptions extends OutletOptions {
  /**
   * Whether only the payload of a record is printed, without its metadata.
   * @default false
   */
  readonly onlyPayload?: boolean
  /**
   * Whether records are printed without their update, like `random_ints.2`, in front.
   * @default false
   */
  readonly skipUpdate?: boolean
  /**
   * Stream to print to. With `process.stdout`, the text of a thread takes the way of its `console.log`, by the main
   * thread: the thread does not learn whether it was printed.
   * @default undefined - the standard output of the process
   */
  readonly stream?: PrintStream
}

/** Table of the options of {@link PrintOutlet}. */
export const PRINT_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  onlyPayload: flag(false),
  skipUpdate: flag(false),
  stream: custom(readStream, 'undefined - the standard output of the process'),
} satisfies Spec<PrintOutletOptions>

/**
 * Prints each record on a line of its own: `random_ints.2 Record { payload: 5, metadata: { ... } }`.
 *
 * A batch is one text, and a push ends when it is written. A push fails when the text cannot be written, for example
 * when the reader of a pipe has gone away; a part of the batch may then be printed.
 */
export class PrintOutlet extends Outlet {
  override readonly readsOnly = true
  readonly #onlyPayload: boolean
  readonly #skipUpdate: boolean
  readonly #stream: PrintStream

  /** @throws {@link InvalidOptionError} */
  constructor(options: PrintOutletOptions = {}) {
    const { onlyPayload, skipUpdate, stream } = resolveOptions('PrintOutlet', options, PRINT_OUTLET_OPTIONS)
    super(options)
    this.#onlyPayload = onlyPayload
    this.#skipUpdate = skipUpdate
    this.#stream = stream
  }

  /**
   * Prints a batch.
   *
   * @throws {@link InvalidPayloadError} on a batch that is longer than a text can be; then nothing is printed
   */
  async push(records: Record[], update: Update): Promise<void> {
    const prefix = this.#skipUpdate ? '' : `${String(update)} `
    const lines = records.map((record) => `${prefix}${toText(this.#onlyPayload ? record.payload : record)}\n`)
    if (lines.reduce((sum, line) => sum + line.length, 0) > constants.MAX_STRING_LENGTH) {
      throw new InvalidPayloadError('PrintOutlet: a batch is longer than a text can be: push it in smaller batches')
    }
    await print(this.#stream, lines.join(''))
  }

  override saveState(): unknown {
    return undefined
  }
}

/** All of a value: by default, long lists and texts would be cut. */
const SHOWN = { depth: Infinity, breakLength: Infinity, compact: true, maxArrayLength: null, maxStringLength: null }

function toText(value: unknown): string {
  return typeof value === 'string' ? value : printable(shown(value))
}

function shown(value: unknown): string {
  try {
    return inspect(value, SHOWN)
  } catch {
    // a class has a say in how it is shown, and that failed
    return inspect(value, { ...SHOWN, customInspect: false })
  }
}

function readStream(name: string, stream: PrintStream | undefined): PrintStream {
  if (stream === undefined) return standardOutput()
  const hasWrite = typeof stream === 'object' && (stream as unknown) !== null && typeof stream.write === 'function'
  if (!hasWrite) throw new InvalidOptionError(name, 'a writable stream', stream)
  return stream
}
