import type { Buffer } from 'node:buffer'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError, toError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { count, resolveOptions, word, type Spec } from '../../base/options.js'
import { fileError } from '../errors.js'
import { Inlet, INLET_OPTIONS, type InletOptions, type PulledStream } from '../../core/inlet.js'
import type { Cursor } from '../../core/cursor.js'
import type { RoundCounts } from '../../core/round-counts.js'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import { TEXT_ENCODINGS, type TextEncoding } from './text-encoding.js'
import type { Update } from '../../core/update.js'
import { FOLLOW_OPTIONS, resolveFollow, type FollowOptions } from './follow-options.js'
import { Following } from './following.js'
import { LINE_SPLITTER_DEFAULTS, LineSplitter, LONG_LINES, type LongLines, type LineState } from './line-splitter.js'
import { orAwaited } from './missing.js'
import { readWhole } from './opened-file.js'
import { startOf } from './text-start.js'

/** Ways in which {@link FileInlet} reads its file. */
export const FileInletMode = {
  /** Reads some lines per transfer. The file is open from the start to the shutdown. */
  LINE: 'line',
  /** Reads the whole file at each transfer. The file is open only during the transfer. */
  FILE: 'file',
} as const
/** Way in which {@link FileInlet} reads its file. */
export type FileInletMode = (typeof FileInletMode)[keyof typeof FileInletMode]

/** Options of {@link FileInlet}. Those after `encoding` are for the mode `line`, except `missing`. */
export interface FileInletOptions extends InletOptions, FollowOptions {
  /**
   * Whether a transfer reads lines, or the whole file.
   * @default 'line'
   */
  readonly mode?: FileInletMode
  /**
   * Encoding of the file. A byte order mark at its start decides, whatever is said here. `latin1` is read as on the Web,
   * which means `windows-1252` by it.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
  /**
   * Most lines that one transfer reads, each of which becomes a record. `Infinity` is all that the file has: it streams, so
   * that a large file takes little memory.
   * @default 1
   */
  readonly linesPerTransfer?: number
  /**
   * Most bytes of a line, without its line end. The inlet holds at most about twice as much of a file in memory, apart
   * from the lines of a transfer.
   * @default 1048576 - 1 MiB
   */
  readonly maxLineLength?: number
  /**
   * Treatment of longer lines: fail the transfer, cut them to `maxLineLength`, or skip them. A failure comes again at
   * each attempt. Cut and skipped lines are counted in the log. So is a long line without an end in a rotated file: it
   * fails one transfer, and the next one goes on with the next file.
   * @default 'error'
   */
  readonly longLines?: LongLines
}

/** Table of the options of {@link FileInlet}. */
export const FILE_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  mode: word(Object.values(FileInletMode), FileInletMode.LINE),
  encoding: word(TEXT_ENCODINGS, 'utf-8'),
  linesPerTransfer: count(1, { orInfinity: true }),
  maxLineLength: count(LINE_SPLITTER_DEFAULTS.maxLength, { shown: '1048576 - 1 MiB' }),
  longLines: word(LONG_LINES, LINE_SPLITTER_DEFAULTS.longLines),
  ...FOLLOW_OPTIONS,
} satisfies Spec<FileInletOptions>

/**
 * Reads a text file: line by line, or as a whole.
 *
 * Line by line, a record is a line without its line end: LF or CRLF, or CR where the start of the file has no LF. At the
 * end of the file there are no records until the file grows; a last line without a line end waits until it has one, unless
 * `follow` is false. Of a gzip file, the content is read. A transfer reads lines of one file:
 *
 * - **Rotated** (`log` became `log.1`, or another name that begins with `log`) or deleted: the rest of that file is
 *   read first, then the file that was begun after it, which is `log.1` again after several rotations. A new file
 *   counts when there is something in it. A last line without a line end is then taken as it is.
 * - **Truncated or rewritten**, even if it has since grown past the position: it is read from its start, with a
 *   warning. The inlet recognises this by the first and the last 256 bytes before the position.
 */
export class FileInlet extends Inlet<string> {
  readonly #filepath: string
  readonly #warnings = new Warnings(() => getLogger('databay.FileInlet'))
  readonly #mode: FileInletMode
  readonly #encoding: TextEncoding
  readonly #linesPerTransfer: number
  readonly #missing: 'error' | 'await'
  readonly #lines: Following<string, LineState>

  /**
   * @param filepath - path of the file
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: FileInletOptions = {}) {
    const resolved = resolveOptions('FileInlet', options, FILE_INLET_OPTIONS)
    super(options)
    const { mode, encoding, linesPerTransfer, maxLineLength, longLines, missing } = resolved
    this.#filepath = checkPath('FileInlet.filepath', filepath)
    this.#mode = mode
    this.#encoding = encoding
    this.#linesPerTransfer = linesPerTransfer
    this.#missing = missing
    const splitter = new LineSplitter(encoding, { maxLength: maxLineLength, longLines })
    this.#lines = new Following('FileInlet', filepath, splitter, resolveFollow('FileInlet', filepath, resolved))
    for (const option of ['follow', 'positionFile', 'redeliver'] as const) {
      if (mode === FileInletMode.FILE && options[option] !== undefined) {
        throw new InvalidOptionError(`FileInlet.${option}`, "the mode 'line'", mode)
      }
    }
  }

  /** @throws {@link FileError} when the file is missing, unless it is awaited, or cannot be opened */
  override async onStart(): Promise<void> {
    if (this.#mode === FileInletMode.LINE) await this.#lines.start(this.holder)
  }

  /** @throws {@link FileError} when the file cannot be read, or has a line that is too long */
  pull(update: Update, cursor?: Cursor): Promise<string | string[] | PulledStream<string>> {
    return this.#mode === FileInletMode.FILE
      ? this.#readFile(update.signal)
      : this.#lines.pull(this.#linesPerTransfer, update, cursor)
  }

  /** Line by line, the position is the cursor. A whole file has none: it is read again at each transfer. */
  override get hasCursor(): boolean {
    return this.#mode === FileInletMode.LINE
  }

  /** As the option says. A whole file is read again at each transfer, whatever was delivered. */
  override get redelivers(): boolean {
    return this.#lines.redelivers
  }

  /**
   * Notes what was delivered of a pull. To redeliver, the next pull goes back to where that one began, or where the first of
   * its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): MaybePromise<void> {
    return this.#lines.ended(update, delivered, rounds?.deliveredRounds)
  }

  override onShutdown(): Promise<void> {
    this.#warnings.end(String(this))
    return this.#lines.stop()
  }

  /** Position up to which the file was read and, to redeliver, all was delivered. */
  override saveState(): unknown {
    return this.#lines.save()
  }

  override restoreState(state: unknown): void {
    this.#lines.restore(state)
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  /** Decodes a whole file, without the byte order mark that some editors put at its start. */
  #toText(bytes: Buffer): string {
    const { units, length, problem } = startOf(bytes, this.#encoding)
    if (problem !== undefined) throw new Error(problem)
    if (units.fits(bytes, length, bytes.length)) this.#warnings.well(String(this))
    else {
      this.#warnings.warn({}, `${String(this)} has bytes that are not ${units.encoding}`)
    }
    return units.decode(bytes, length, bytes.length)
  }

  async #readFile(signal: AbortSignal): Promise<string | string[]> {
    try {
      const reading = readWhole(this.#filepath, signal)
      const bytes = await orAwaited(reading, this.#filepath, this.#missing)
      return bytes === undefined ? [] : this.#toText(bytes)
    } catch (cause) {
      if (signal.aborted) throw toError(signal.reason)
      throw fileError('FileInlet', 'read', this.#filepath, cause)
    }
  }
}
