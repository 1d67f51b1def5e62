import { Buffer } from 'node:buffer'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { checkOptions, checkPath, checkCount, checkWord } from '../check.js'
import { FileError, toError } from '../errors.js'
import { Inlet, type InletOptions } from '../inlet.js'
import { getLogger } from '../log.js'
import { TEXT_ENCODINGS, type TextEncoding } from '../text-encoding.js'
import type { Update } from '../update.js'
import { LineReader, withoutMark } from './line-reader.js'

/** How {@link FileInlet} reads its file. */
export const FileInletMode = {
  /** Some lines per transfer. The file is held open from the start to the shutdown. */
  LINE: 'line',
  /** The whole file at each transfer. The file is open only during the transfer. */
  FILE: 'file',
} as const
export type FileInletMode = (typeof FileInletMode)[keyof typeof FileInletMode]

export interface FileInletOptions extends InletOptions {
  /**
   * Whether a transfer reads lines, or the whole file.
   * @default 'line'
   */
  readonly mode?: FileInletMode
  /**
   * Encoding of the file.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
  /**
   * Most lines that one transfer reads, each of which becomes a record. For the mode `line`.
   * @default 1
   */
  readonly linesPerTransfer?: number
}

const OPTIONS = ['metadata', 'mode', 'encoding', 'linesPerTransfer'] as const

/** Bytes that are read at once, at least. */
const CHUNK = 65_536

/**
 * Reads a text file: line by line, or as a whole.
 *
 * Line by line, a record is a line without its line end (LF or CRLF). At the end of the file there are no records,
 * until the file grows; a last line without a line end waits until it has one. A file that became shorter was
 * written anew, and is read from its start. A file that is replaced by another of the same name is not noticed.
 */
export class FileInlet extends Inlet<string> {
  readonly #filepath: string
  readonly #mode: FileInletMode
  readonly #encoding: TextEncoding
  readonly #linesPerTransfer: number
  #file: FileHandle | undefined
  #reader: LineReader
  /** The pull before: pulls of one inlet read one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Where the next start begins. */
  #restored = 0

  /**
   * @param filepath - path of the file
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: FileInletOptions = {}) {
    super(checkOptions('FileInlet', options, OPTIONS))
    this.#filepath = checkPath('FileInlet.filepath', filepath)
    this.#mode = checkWord('FileInlet.mode', options.mode, Object.values(FileInletMode), FileInletMode.LINE)
    this.#encoding = checkWord('FileInlet.encoding', options.encoding, TEXT_ENCODINGS, 'utf-8')
    this.#linesPerTransfer = checkCount('FileInlet.linesPerTransfer', options.linesPerTransfer, 1)
    this.#reader = new LineReader(this.#encoding, 0)
  }

  override async onStart(): Promise<void> {
    if (this.#mode === FileInletMode.FILE) return
    const file = await this.#try('open', () => open(this.#filepath, 'r'))
    this.#file = file
    this.#reader = new LineReader(this.#encoding, this.#restored)
    this.#restored = 0
  }

  /** @throws {@link FileError} when the file cannot be read */
  pull(update: Update): Promise<string | string[]> {
    if (this.#mode === FileInletMode.FILE) {
      const { signal } = update
      return this.#try('read', () => this.#readFile(signal), signal)
    }
    return this.#inTurn(() => this.#pullLines(update))
  }

  override onShutdown(): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#file
      this.#file = undefined
      await file?.close()
    })
  }

  /** The byte up to which the file was read. */
  override saveState(): { readonly position: number } | undefined {
    return this.#mode === FileInletMode.FILE ? undefined : { position: this.#reader.position }
  }

  override restoreState(state: unknown): void {
    if (typeof state === 'object' && state !== null && 'position' in state) {
      this.#restored = checkPosition(state.position)
      this.#reader = new LineReader(this.#encoding, this.#restored)
    }
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  async #readFile(signal: AbortSignal): Promise<string> {
    return withoutMark(await readFile(this.#filepath, { encoding: this.#encoding, signal }))
  }

  async #pullLines(update: Update): Promise<string[]> {
    const file = this.#file
    if (file === undefined) throw new FileError(this.#filepath, `${String(this)} is not started`)
    const { signal } = update
    try {
      const lines = await this.#try('read', () => this.#takeLines(file, signal), signal)
      this.#reader.commit()
      return lines
    } catch (error) {
      this.#reader.rollback()
      throw error
    }
  }

  async #takeLines(file: FileHandle, signal: AbortSignal): Promise<string[]> {
    const lines: string[] = []
    for (;;) {
      signal.throwIfAborted()
      for (let line = this.#take(lines); line !== undefined; line = this.#take(lines)) lines.push(line)
      if (lines.length === this.#linesPerTransfer || !(await this.#read(file))) return lines
    }
  }

  #take(taken: readonly string[]): string | undefined {
    return taken.length < this.#linesPerTransfer ? this.#reader.take() : undefined
  }

  /** Reads on. Resolves with whether there was something to read. */
  async #read(file: FileHandle): Promise<boolean> {
    const { end, position } = this.#reader
    // as much again as is held, so that a very long line is not copied too often
    const buffer = Buffer.allocUnsafe(Math.max(CHUNK, end - position))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, end)
    if (bytesRead > 0) {
      this.#reader.feed(buffer.subarray(0, bytesRead))
      return true
    }
    if (end > 0 && (await file.stat()).size < end) {
      getLogger('databay.FileInlet').warn('%s became shorter: it is read from its start', String(this))
      this.#reader = new LineReader(this.#encoding, 0)
    }
    return false
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #try<T>(verb: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (signal?.aborted === true) throw toError(signal.reason)
      const { message } = toError(cause)
      throw new FileError(this.#filepath, `FileInlet: cannot ${verb} ${this.#filepath}: ${message}`, {
        cause,
      })
    }
  }
}

function checkPosition(position: unknown): number {
  return typeof position === 'number' && Number.isSafeInteger(position) && position >= 0 ? position : 0
}
