import path from 'node:path'
import { checkPath, checkWord } from '../../base/check.js'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { PartialPushError } from '../../core/partial-push.js'
import { FileError, fileError } from '../errors.js'
import { withLock } from '../../base/locks.js'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import type { MetadataKey } from '../../core/outlet.js'
import type { Metadata, Record } from '../../core/record.js'
import { withRetries } from '../retry.js'
import type { Update } from '../../core/update.js'
import { isWithin, realTarget } from './real-target.js'
import { Replacements } from './replacements.js'
import { FILE_MODES, type FileMode, type TargetSettings } from './target-options.js'
import { write } from './write.js'

/** File, and the records of a batch that go there. */
export interface Target<T> {
  /** Real path of the file. */
  readonly file: string
  readonly truncate: boolean
  readonly records: readonly Record<T>[]
  /** Places of the records in the batch. */
  readonly indices: readonly number[]
}

/** Codes of errors of the system whose cause may pass. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EAGAIN', 'EBUSY', 'EIO', 'EMFILE', 'ENFILE', 'ESTALE', 'ETIMEDOUT'])

/** Metadata keys under which an outlet's records choose their file. */
export interface TargetKeys {
  readonly path: MetadataKey
  readonly mode: MetadataKey
}

/** Files that the records of an outlet go to. */
export class Targets {
  readonly #outlet: string
  readonly #warnings: Warnings
  readonly #keys: TargetKeys
  readonly #filepath: string
  readonly #settings: TargetSettings
  readonly #baseFolder: string
  /** New files of transfers that have several rounds. */
  readonly #replacements: Replacements
  /** Files that each transfer has replaced. */
  readonly #replaced = new WeakMap<Update, Set<string>>()

  /**
   * @param outlet - name of the outlet, for errors
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(outlet: string, keys: TargetKeys, filepath: string, settings: TargetSettings) {
    this.#outlet = outlet
    this.#warnings = new Warnings(() => getLogger(`databay.${outlet}`))
    this.#keys = keys
    this.#filepath = path.resolve(checkPath(`${outlet}.filepath`, filepath))
    if (settings.whenEmpty === 'clear' && settings.fileMode !== 'w') {
      throw new InvalidOptionError(`${outlet}.whenEmpty`, "'keep', unless fileMode is 'w'", settings.whenEmpty)
    }
    this.#settings = settings
    this.#replacements = new Replacements(settings.fsync)
    this.#baseFolder = path.resolve(settings.baseFolder ?? path.dirname(this.#filepath))
  }

  /** Whether a transfer without records empties the outlet's own file. */
  get clearsWhenEmpty(): boolean {
    return this.#settings.whenEmpty === 'clear'
  }

  /** The outlet's own file, whose content is replaced by that of no records. */
  async ofNone(): Promise<Target<never>> {
    return { file: await this.#locate(undefined), truncate: true, records: [], indices: [] }
  }

  /**
   * Shows what a transfer that has several rounds has written in place of the content of files, or drops it when the transfer
   * is not complete.
   *
   * @returns number of the records that were dropped
   */
  endRounds(update: Update, isComplete: boolean): Promise<number> {
    return this.#replacements.end(update, isComplete)
  }

  /** Takes note that the outlet is shut down. */
  end(): void {
    this.#warnings.end(this.#name)
  }

  /**
   * Groups a batch by file. Files are in the order of their first record, and so are the records of a file.
   *
   * @throws {@link InvalidOptionError} on metadata that names no allowed file or mode
   */
  async group<T>(records: readonly Record<T>[], update: Update): Promise<Target<T>[]> {
    // many records share few paths, and following one costs several system calls
    const files = new Map<unknown, string>()
    const targets = new Map<string, { file: string; truncate: boolean; records: Record<T>[]; indices: number[] }>()
    let latest: { metadata: Metadata; target: { records: Record<T>[]; indices: number[] } } | undefined
    for (const [index, record] of records.entries()) {
      // the records of a pull share their metadata
      if (record.metadata === latest?.metadata) {
        latest.target.records.push(record)
        latest.target.indices.push(index)
        continue
      }
      const given = record.metadata[this.#keys.path]
      const file = files.get(given) ?? (await this.#locate(given))
      files.set(given, file)
      const target = targets.get(file) ?? { file, truncate: false, records: [], indices: [] }
      targets.set(file, target)
      target.records.push(record)
      target.indices.push(index)
      if (this.#modeOf(record) === 'w') target.truncate = true
      latest = { metadata: record.metadata, target }
    }
    const replaced = this.#replaced.get(update)
    for (const target of targets.values()) target.truncate &&= replaced?.has(target.file) !== true
    const all = [...targets.values()]
    return update.hasRounds ? Promise.all(all.map((target) => this.#inRounds(target, update))) : all
  }

  /**
   * Writes to every file the bytes that `compose` makes for it, to all of them even when one fails. No other thread
   * writes the file while its bytes are composed and written.
   *
   * @param written - takes note of a file that has got its bytes, and whether it keeps them, unlike a pipe
   * @throws the error of a single file, or a {@link PartialPushError} when there are several
   */
  async write<F extends Target<unknown>>(
    targets: readonly F[],
    update: Update,
    compose: (target: F) => Uint8Array | Promise<Uint8Array>,
    written?: (target: F, isKept: boolean) => void,
  ): Promise<void> {
    const results = await Promise.allSettled(targets.map((target) => this.#writeOne(target, update, compose, written)))
    const failed = results.flatMap((result, at) => {
      const target = targets[at]
      return result.status === 'rejected' && target ? [{ target, error: toError(result.reason) }] : []
    })
    const [first] = failed
    if (first === undefined) return
    if (targets.length === 1) throw first.error
    const rejected = failed.flatMap(({ target, error }) => target.indices.map((index) => ({ index, error })))
    const taken = targets.reduce((sum, { records }) => sum + records.length, 0) - rejected.length
    throw new PartialPushError(
      this.#outlet,
      taken,
      rejected.sort((a, b) => a.index - b.index),
    )
  }

  async #writeOne<F extends Target<unknown>>(
    target: F,
    update: Update,
    compose: (target: F) => Uint8Array | Promise<Uint8Array>,
    written?: (target: F, isKept: boolean) => void,
  ): Promise<void> {
    const { file, truncate } = target
    const attempt = () =>
      withLock(file, async () => {
        const bytes = await compose(target)
        update.signal.throwIfAborted()
        try {
          const isKept = await write(file, bytes, { truncate, fsync: this.#settings.fsync }, update.signal)
          written?.(target, isKept)
        } catch (cause) {
          if (update.signal.aborted && cause === update.signal.reason) throw cause
          throw fileError(this.#outlet, 'write to', file, cause)
        }
      })
    await withRetries(this.#settings.retry, update.signal, attempt, (error) => this.#mayPass(error, update))
    this.#warnings.well(this.#name)
    if (truncate) this.#noteReplaced(file, update)
    if (update.hasRounds) this.#replacements.note(file, update, target.records.length)
  }

  /** The target of a round: a new file, if its content is to be replaced, and can be. */
  async #inRounds<T extends { file: string; truncate: boolean }>(target: T, update: Update): Promise<T> {
    try {
      const made = await this.#replacements.of(target.file, update, target.truncate)
      return made === undefined ? target : { ...target, file: made, truncate: false }
    } catch (cause) {
      throw fileError(this.#outlet, 'write to', target.file, cause)
    }
  }

  get #name(): string {
    return `${this.#outlet}(${this.#filepath})`
  }

  #mayPass(error: Error, update: Update): boolean {
    const cause = error instanceof FileError && error.cause instanceof Error ? error.cause : undefined
    const passing = cause !== undefined && 'code' in cause && PASSING.has(String(cause.code))
    if (passing) this.#warnings.warn({}, `${String(update)} ${error.message}: trying again`, update)
    return passing
  }

  #noteReplaced(file: string, update: Update): void {
    const replaced = this.#replaced.get(update) ?? new Set()
    this.#replaced.set(update, replaced.add(file))
  }

  #modeOf(record: Record): FileMode {
    const { mode } = this.#keys
    return checkWord(mode, record.metadata[mode], FILE_MODES, this.#settings.fileMode)
  }

  /** Real path of the file that a record chose. Nothing after this trusts the path in the metadata. */
  async #locate(given: unknown): Promise<string> {
    if (given === undefined) return this.#follow(this.#filepath)
    const key = this.#keys.path
    const file = await this.#follow(path.resolve(this.#baseFolder, checkPath(key, given)))
    if (this.#settings.allowAnyPath || isWithin(await this.#follow(this.#baseFolder), file)) return file
    throw new InvalidOptionError(key, `a path within ${this.#baseFolder}`, given)
  }

  async #follow(file: string): Promise<string> {
    try {
      return await realTarget(file)
    } catch (cause) {
      throw fileError(this.#outlet, 'find', file, cause)
    }
  }
}
