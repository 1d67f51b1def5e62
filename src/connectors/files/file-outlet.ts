import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import { checkWord } from '../../base/check.js'
import { resolveOptions, word, type Spec } from '../../base/options.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { Outlet, OUTLET_OPTIONS, type MetadataKey, type OutletOptions } from '../../core/outlet.js'
import type { Metadata, Record } from '../../core/record.js'
import { TEXT_ENCODINGS, type TextEncoding } from './text-encoding.js'
import type { Update } from '../../core/update.js'
import { endsWith, READ } from './disk.js'
import { encode, PART_LENGTH } from './encode.js'
import { TARGET_OPTIONS, Targets, type TargetOptions } from './targets.js'

export interface FileOutletOptions extends OutletOptions, TargetOptions {
  /**
   * Encoding of the text written. Records can override it in their metadata. A character that it does not have is an
   * error; of half a surrogate pair, which is no character, `utf-8` makes U+FFFD. JSON has `\ud800` for it instead.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
  /**
   * How payloads become lines: as `text`, a string is written as it is and any other payload as JSON; as `json`, every
   * payload is JSON, strings too, so that the file is JSON Lines whatever comes.
   * @default 'text'
   */
  readonly format?: 'text' | 'json'
}

export const FILE_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  encoding: word(TEXT_ENCODINGS, 'utf-8'),
  format: word(['text', 'json'], 'text'),
  ...TARGET_OPTIONS,
} satisfies Spec<FileOutletOptions>

/**
 * Writes each record as a line of text: a string as it is, any other payload as JSON. The records of a batch that go
 * to the same file are written at once, or none of them; the file and its folder are made if they are missing. Outlets
 * in the main thread and the threads of planners that write one file, by whatever path, take turns. A last line without
 * a line end, which a process may leave that is killed while it writes, is ended first.
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
  readonly #asJson: boolean
  readonly #targets: Targets

  /**
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: FileOutletOptions = {}) {
    const settings = resolveOptions('FileOutlet', options, FILE_OUTLET_OPTIONS)
    super(options)
    const keys = { path: FileOutlet.FILEPATH, mode: FileOutlet.FILE_MODE }
    this.#filepath = filepath
    this.#encoding = settings.encoding
    this.#asJson = settings.format === 'json'
    this.#targets = new Targets('FileOutlet', keys, filepath, settings)
  }

  /**
   * @throws {@link FileError} when a file cannot be written; it is as it was before, or
   * empty where it had to be replaced in place (see `fileMode`)
   * @throws {@link PartialPushError} when some of several files cannot be written
   * @throws {@link InvalidPayloadError} on a payload that cannot be JSON or be written in its encoding; nothing is written then
   */
  async push(records: Record[], update: Update): Promise<void> {
    const targets = await this.#targets.group(records, update)
    const writes = targets.map((target) => ({ ...target, bytes: this.#toBytes(target.records) }))
    await this.#targets.write(writes, update, async ({ file, truncate, records, bytes }) => {
      const lineEnd = Buffer.from('\n', this.#encodingOf(records[0]?.metadata ?? {}))
      return truncate || (await beginsLine(file, lineEnd)) ? bytes : Buffer.concat([lineEnd, bytes])
    })
  }

  override saveState(): unknown {
    return undefined
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  /** The lines of the records. Those of one encoding are made into bytes together, up to some length. */
  #toBytes(records: readonly Record[]): Buffer {
    const parts: Buffer[] = []
    let encoding = this.#encoding
    let text = ''
    const end = () => parts.push(encode('FileOutlet', text, encoding))
    for (const { payload, metadata } of records) {
      const wanted = this.#encodingOf(metadata)
      const line = typeof payload === 'string' && !this.#asJson ? payload : toJson(payload)
      // before it is added: it may be nearly as long as a string can be
      if (wanted !== encoding || text.length + line.length >= PART_LENGTH) {
        end()
        encoding = wanted
        text = ''
      }
      text += `${line}\n`
    }
    end()
    return Buffer.concat(parts)
  }

  #encodingOf(metadata: Metadata): TextEncoding {
    const key = FileOutlet.FILE_ENCODING
    return checkWord(key, metadata[key], TEXT_ENCODINGS, this.#encoding)
  }
}

/** Whether what is added to a file begins a line. */
async function beginsLine(file: string, lineEnd: Uint8Array): Promise<boolean> {
  const handle = await open(file, READ).catch(() => undefined)
  // it is not there, or may be written to and not read
  if (handle === undefined) return true
  try {
    return await endsWith(handle, lineEnd)
  } finally {
    await handle.close()
  }
}

function toJson(payload: unknown): string {
  let json: unknown
  try {
    json = JSON.stringify(payload, withoutLoss)
  } catch (cause) {
    throw cause instanceof InvalidPayloadError ? cause : noJson(typeof payload, { cause })
  }
  // what JSON has no word for, such as a function
  if (typeof json !== 'string') throw noJson(typeof payload)
  return json
}

/** Refuses values, at any depth, of which JSON makes an empty object, whatever they hold. */
function withoutLoss(_key: string, value: unknown): unknown {
  if (value instanceof Map) throw noJson('a Map')
  if (value instanceof Set) throw noJson('a Set')
  return value
}

function noJson(kind: string, options?: ErrorOptions): InvalidPayloadError {
  return new InvalidPayloadError(`FileOutlet: a payload cannot be JSON (${kind})`, options)
}
