import { Buffer } from 'node:buffer'
import { checkOptions, checkWord } from '../check.js'
import { InvalidPayloadError } from '../errors.js'
import { Outlet, type MetadataKey, type OutletOptions } from '../outlet.js'
import type { Record } from '../record.js'
import { TEXT_ENCODINGS, type TextEncoding } from '../text-encoding.js'
import type { Update } from '../update.js'
import { append } from './append.js'
import { TARGET_OPTIONS, Targets, type TargetOptions } from './targets.js'

export interface FileOutletOptions extends OutletOptions, TargetOptions {
  /**
   * Encoding of the text written. Records can override it in their metadata.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
}

const OPTIONS = ['processors', 'encoding', ...TARGET_OPTIONS] as const

/**
 * Writes each record as a line of text: a string as it is, any other payload as JSON. The records of a batch that go
 * to the same file are written at once; the file and its folder are made if they are missing.
 *
 * A record can choose its file, mode and encoding in its metadata, under {@link FileOutlet.FILEPATH},
 * {@link FileOutlet.FILE_MODE} and {@link FileOutlet.FILE_ENCODING}. It can only choose files in `baseFolder`.
 */
export class FileOutlet extends Outlet {
  /** Metadata: path of the file to write to. A relative one starts from `baseFolder`. */
  static readonly FILEPATH: MetadataKey = 'FileOutlet.FILEPATH'
  /** Metadata: `a` or `w`, see `fileMode`. */
  static readonly FILE_MODE: MetadataKey = 'FileOutlet.FILE_MODE'
  /** Metadata: encoding of the record's text. */
  static readonly FILE_ENCODING: MetadataKey = 'FileOutlet.FILE_ENCODING'

  readonly #filepath: string
  readonly #encoding: TextEncoding
  readonly #targets: Targets

  /**
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: FileOutletOptions = {}) {
    super(checkOptions('FileOutlet', options, OPTIONS))
    const keys = { path: FileOutlet.FILEPATH, mode: FileOutlet.FILE_MODE }
    this.#filepath = filepath
    this.#encoding = checkWord('FileOutlet.encoding', options.encoding, TEXT_ENCODINGS, 'utf-8')
    this.#targets = new Targets('FileOutlet', keys, filepath, options)
  }

  /**
   * @throws {@link FileError} when a file cannot be written
   * @throws {@link InvalidPayloadError} on a payload that cannot be JSON; nothing is written then
   */
  async push(records: Record[], update: Update): Promise<void> {
    const targets = await this.#targets.group(records)
    const writes = targets.map((target) => ({ ...target, bytes: this.#toBytes(target.records) }))
    await this.#targets.each(writes, ({ file, bytes, truncate }) => {
      update.signal.throwIfAborted()
      return append('FileOutlet', file, bytes, truncate)
    })
  }

  override saveState(): unknown {
    return undefined
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  #toBytes(records: readonly Record[]): Buffer {
    const key = FileOutlet.FILE_ENCODING
    const lines = records.map(({ payload, metadata }) => {
      const encoding = checkWord(key, metadata[key], TEXT_ENCODINGS, this.#encoding)
      return Buffer.from(`${toText(payload)}\n`, encoding)
    })
    return Buffer.concat(lines)
  }
}

function toText(payload: unknown): string {
  if (typeof payload === 'string') return payload
  const message = `FileOutlet: a payload cannot be JSON (${typeof payload})`
  let json: unknown
  try {
    json = JSON.stringify(payload)
  } catch (cause) {
    throw new InvalidPayloadError(message, { cause })
  }
  // what JSON has no word for, such as a function
  if (typeof json !== 'string') throw new InvalidPayloadError(message)
  return json
}
