import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import { checkWord } from '../../base/check.js'
import { toError } from '../../base/errors.js'
import { resolveOptions, word, type Spec } from '../../base/options.js'
import { Outlet, OUTLET_OPTIONS, type MetadataKey, type OutletOptions } from '../../core/outlet.js'
import { blameRecords, ofRecord, type RejectedRecord } from '../../core/partial-push.js'
import type { Metadata, Record } from '../../core/record.js'
import { TEXT_ENCODINGS, type TextEncoding } from './text-encoding.js'
import type { Update } from '../../core/update.js'
import { endsWith, READ } from './disk.js'
import { bytesOf, encode, PART_LENGTH } from './encode.js'
import { TARGET_OPTIONS, type TargetOptions } from './target-options.js'
import { Targets, type Target } from './targets.js'
import { jsonText, lineText } from '../json-text.js'
import { SERIALIZE_OPTIONS, type Serialize, type SerializeOptions } from '../serialize.js'

/** Payload that cannot be written, and why. */
interface Unwritable {
  readonly error: unknown
}

/** Options of {@link FileOutlet}. */
export interface FileOutletOptions extends OutletOptions, SerializeOptions, TargetOptions {
  /**
   * Encoding of the text. Records can override it in their metadata. A character that the encoding does not have is an
   * error. So is half of a surrogate pair in `utf-8`; JSON writes `\ud800` for it.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
  /**
   * How payloads become lines. `text` writes a string as it is and any other payload as JSON. `json` writes every
   * payload as JSON, strings too, so that the file is JSON Lines whatever comes.
   * @default 'text'
   */
  readonly format?: 'text' | 'json'
}

/** Table of the options of {@link FileOutlet}. */
export const FILE_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  encoding: word(TEXT_ENCODINGS, 'utf-8'),
  format: word(['text', 'json'], 'text'),
  ...SERIALIZE_OPTIONS,
  ...TARGET_OPTIONS,
} satisfies Spec<FileOutletOptions>

/**
 * Writes each record as a line of text: a string as it is, any other payload as JSON. A payload that JSON would change
 * is refused, unless the option `serialize` says what to write. Fields that are undefined are left out, dates are ISO
 * texts, bigints are digits, and values of BSON are MongoDB's extended JSON, with ObjectIds as their digits. The records of a batch that go to
 * the same file are written at once, or none of them. A missing file is created, with its folder. Outlets that write
 * one file take turns, by whatever path, in the main thread and in the threads of planners. A last line without a line
 * end, which a killed process may leave, is ended first.
 *
 * A record can choose its file, mode and encoding in its metadata, under {@link FileOutlet.FILEPATH},
 * {@link FileOutlet.FILE_MODE} and {@link FileOutlet.FILE_ENCODING}. It can only choose files in `baseFolder`.
 */
export class FileOutlet extends Outlet {
  /** Metadata key: path of the file to write to. A relative path starts from `baseFolder`. */
  static readonly FILEPATH: MetadataKey = 'FileOutlet.FILEPATH'
  /** Metadata key: `a` or `w`, see `fileMode`. */
  static readonly FILE_MODE: MetadataKey = 'FileOutlet.FILE_MODE'
  /** Metadata key: encoding of the record's text. */
  static readonly FILE_ENCODING: MetadataKey = 'FileOutlet.FILE_ENCODING'

  /** Whether payloads are only read: not where a class that extends this one has a push of its own. */
  // eslint-disable-next-line @typescript-eslint/unbound-method -- they are compared, not called
  override readonly readsOnly: boolean = Object.is(this.push, FileOutlet.prototype.push)
  override readonly replacesContent: boolean
  readonly #filepath: string
  readonly #encoding: TextEncoding
  readonly #asJson: boolean
  readonly #serialize: Serialize | undefined
  readonly #targets: Targets

  /**
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: FileOutletOptions = {}) {
    const settings = resolveOptions('FileOutlet', options, FILE_OUTLET_OPTIONS)
    super(options)
    const keys = { path: FileOutlet.FILEPATH, mode: FileOutlet.FILE_MODE }
    this.replacesContent = settings.fileMode === 'w'
    this.#filepath = filepath
    this.#encoding = settings.encoding
    this.#asJson = settings.format === 'json'
    this.#serialize = settings.serialize
    this.#targets = new Targets('FileOutlet', keys, filepath, settings)
  }

  override onStart(): void {
    this.#targets.start()
  }

  /**
   * Writes a batch.
   *
   * @throws {@link FileError} when a file cannot be written; it is then as it was before, or empty where it had to be
   * replaced in place (see `fileMode`)
   * @throws {@link PartialPushError} when some of several files cannot be written
   * @throws {@link InvalidPayloadError} on a payload that cannot be JSON, or cannot be written in its encoding; then
   * nothing is written
   */
  async push(records: Record[], update: Update): Promise<void> {
    // before the first wait: the payloads are no copies
    const lines = this.#toLines(records)
    const targets = await this.#targets.group(records, update)
    const writes = this.#composed(targets, records, lines)
    await this.#targets.write(writes, update, async ({ file, truncate, records, bytes }, added) => {
      if (truncate) return bytes
      const lineEnd = bytesOf('\n', this.#encodingOf(records[0]?.metadata ?? {}))
      const beginsLine = added === undefined ? await endsLine(file, lineEnd) : added.endsWith(lineEnd)
      return beginsLine ? bytes : Buffer.concat([lineEnd, bytes])
    })
  }

  /** With `whenEmpty: 'clear'`, empties the outlet's own file. */
  override onEmptyTransfer(update: Update): void | Promise<void> {
    return this.#targets.clearsWhenEmpty ? this.#clear(update) : undefined
  }

  /** Has what a transfer wrote in rounds replace the content of its files. */
  override onLastRound(update: Update, isComplete: boolean): Promise<number> {
    return this.#targets.endRounds(update, isComplete)
  }

  /** Whether what a transfer wrote so far is in its files, and not to replace their content at its end. */
  override keepsRounds(update: Update): boolean {
    return !this.#targets.replaces(update)
  }

  override onShutdown(): Promise<void> {
    return this.#targets.end()
  }

  override saveState(): unknown {
    return undefined
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  async #clear(update: Update): Promise<void> {
    await this.#targets.write([await this.#targets.ofNone()], update, () => Buffer.alloc(0))
  }

  /** Texts of records. What is wrong with a payload is told when its turn comes: what is wrong with its path goes first. */
  #toLines(records: readonly Record[]): (string | Unwritable)[] {
    const toText = this.#asJson ? jsonText : lineText
    return records.map(({ payload }) => {
      try {
        return toText('FileOutlet', payload, this.#serialize)
      } catch (error) {
        return { error }
      }
    })
  }

  /** Targets with their bytes. @throws the first error of a record, which blames all that cannot be written */
  #composed(targets: readonly Target<unknown>[], records: readonly Record[], lines: readonly (string | Unwritable)[]) {
    try {
      return targets.map((target) => ({ ...target, bytes: this.#toBytes(target, lines) }))
    } catch (thrown) {
      throw blameRecords(toError(thrown), this.#unwritable(records, lines))
    }
  }

  #unwritable(records: readonly Record[], lines: readonly (string | Unwritable)[]): RejectedRecord[] {
    return records.flatMap((record, index) => {
      try {
        this.#toBytes({ records: [record], indices: [index] }, lines)
        return []
      } catch (thrown) {
        return [{ index, error: ofRecord(toError(thrown)) }]
      }
    })
  }

  /** Encodes the lines of a file. Lines of one encoding are encoded together, up to some length. */
  #toBytes(
    { records, indices }: Pick<Target<unknown>, 'records' | 'indices'>,
    lines: readonly (string | Unwritable)[],
  ): Buffer {
    const parts: Buffer[] = []
    let encoding = this.#encoding
    let text = ''
    const end = () => parts.push(encode('FileOutlet', text, encoding))
    let latest: Metadata | undefined
    let wanted = encoding
    records.forEach(({ metadata }, at) => {
      // the records of a pull share their metadata
      if (metadata !== latest) wanted = this.#encodingOf(metadata)
      latest = metadata
      const line = lines[indices[at] as number] as string | Unwritable
      if (typeof line !== 'string') throw line.error
      // before the line is added: it may be nearly as long as a string can be
      if (wanted !== encoding || text.length + line.length >= PART_LENGTH) {
        if (text !== '') end()
        encoding = wanted
        text = ''
      }
      text += `${line}\n`
    })
    end()
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  #encodingOf(metadata: Metadata): TextEncoding {
    const key = FileOutlet.FILE_ENCODING
    return checkWord(key, metadata[key], TEXT_ENCODINGS, this.#encoding)
  }
}

/** Whether a file ends with a line end, so that text that is added to it begins a new line. */
async function endsLine(file: string, lineEnd: Uint8Array): Promise<boolean> {
  const handle = await open(file, READ).catch(() => undefined)
  // the file does not exist, or may be written to but not read
  if (handle === undefined) return true
  try {
    return await endsWith(handle, lineEnd)
  } finally {
    await handle.close()
  }
}
