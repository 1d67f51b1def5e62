import { checkWord } from '../../base/check.js'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { failureClass } from '../../core/failure-class.js'
import {
  blameRecords,
  blamedRecords,
  ofRecord,
  PartialPushError,
  UntriedRecordError,
  type RejectedRecord,
} from '../../core/partial-push.js'
import { FileError, fileError } from '../errors.js'
import { withLock } from '../../base/locks.js'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import type { MetadataKey } from '../../core/outlet.js'
import type { Metadata, Record } from '../../core/record.js'
import { withRetries } from '../../base/retry.js'
import type { Update } from '../../core/update.js'
import type { AddedFile } from './added-file.js'
import { closeHeld, openToAdd, putBack, takeHeld, withDescriptors } from './held-files.js'
import { Replacements } from './replacements.js'
import { FILE_MODES, type FileMode, type TargetSettings } from './target-options.js'
import { TargetPaths } from './target-paths.js'
import { write } from './write.js'

/** File, and the records of a batch that go there. */
export interface Target<T> {
  /** Real path of the file. */
  readonly file: string
  /** Path that the records chose, as it stands in their metadata. */
  readonly given?: unknown
  /** Whether the path led to this file at an earlier push, and may lead elsewhere now. */
  readonly isAssumed?: boolean
  readonly truncate: boolean
  readonly records: readonly Record<T>[]
  /** Places of the records in the batch. */
  readonly indices: readonly number[]
}

/**
 * Bytes for a file.
 *
 * @param added - the file, when it exists, is a regular one, and is to be added to
 */
type Compose<F> = (target: F, added: AddedFile | undefined) => Uint8Array | Promise<Uint8Array>

/** Most paths whose files are kept in mind. */
const MOST_PATHS = 1000

type Growing<T> = { file: string; given: unknown; truncate: boolean; records: Record<T>[]; indices: number[] }

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
  readonly #paths: TargetPaths
  readonly #settings: TargetSettings
  /** Real paths of files that are held open, by the path that records chose. */
  readonly #known = new Map<unknown, string>()
  /** Whether files are held open between pushes: as long as the outlet is started, as it is shut down then. */
  #holds = false
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
    this.#paths = new TargetPaths(outlet, keys.path, filepath, settings)
    if (settings.whenEmpty === 'clear' && settings.fileMode !== 'w') {
      throw new InvalidOptionError(`${outlet}.whenEmpty`, "'keep', unless fileMode is 'w'", settings.whenEmpty)
    }
    this.#settings = settings
    this.#replacements = new Replacements(settings.fsync)
  }

  /** Whether a transfer without records empties the outlet's own file. */
  get clearsWhenEmpty(): boolean {
    return this.#settings.whenEmpty === 'clear'
  }

  /** The outlet's own file, whose content is replaced by that of no records. */
  async ofNone(): Promise<Target<never>> {
    return { file: await this.#paths.locate(undefined), truncate: true, records: [], indices: [] }
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

  /** Whether a transfer has written what is to replace the content of a file at its end. */
  replaces(update: Update): boolean {
    return this.#replacements.has(update)
  }

  /** Takes note that the outlet is started. */
  start(): void {
    this.#holds = true
  }

  /** Closes the files that are held open, as the outlet is shut down. */
  end(): Promise<void> {
    this.#warnings.end(this.#name)
    this.#holds = false
    const files = [...this.#known.values()]
    this.#known.clear()
    return closeHeld(files)
  }

  /**
   * Groups a batch by file. Files are in the order of their first record, and so are the records of a file.
   *
   * @throws {@link InvalidOptionError} on metadata that names no allowed file or mode
   */
  async group<T>(records: readonly Record<T>[], update: Update): Promise<Target<T>[]> {
    try {
      return await this.#grouped(records, update)
    } catch (thrown) {
      throw blameRecords(toError(thrown), await this.#lost(records))
    }
  }

  /** Records whose metadata names no file that they may be written to, or no mode. */
  async #lost(records: readonly Record[]): Promise<RejectedRecord[]> {
    const lost: RejectedRecord[] = []
    for (const [index, { metadata }] of records.entries()) {
      try {
        await this.#paths.locate(metadata[this.#keys.path])
        this.#modeOf(metadata)
      } catch (thrown) {
        const error = ofChoice(toError(thrown), metadata[this.#keys.path])
        if (failureClass(error) === 'refused') lost.push({ index, error })
      }
    }
    return lost
  }

  async #grouped<T>(records: readonly Record<T>[], update: Update): Promise<Target<T>[]> {
    const known = this.#replacements.has(update) ? undefined : this.#knownTarget(records)
    if (known !== undefined) return [known]
    // many records share few paths, and following one costs several system calls
    const files = new Map<unknown, string>()
    const targets = new Map<string, Growing<T>>()
    let latest: { metadata: Metadata; target: Growing<T> } | undefined
    for (const [index, record] of records.entries()) {
      // the records of a pull share their metadata
      if (record.metadata === latest?.metadata) {
        latest.target.records.push(record)
        latest.target.indices.push(index)
        continue
      }
      const given = record.metadata[this.#keys.path]
      const file = files.get(given) ?? (await this.#paths.locate(given))
      files.set(given, file)
      const target = targets.get(file) ?? { file, given, truncate: false, records: [], indices: [] }
      targets.set(file, target)
      target.records.push(record)
      target.indices.push(index)
      if (this.#modeOf(record.metadata) === 'w') target.truncate = true
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
    compose: Compose<F>,
    written?: (target: F, isKept: boolean) => void,
  ): Promise<void> {
    const results = await Promise.allSettled(targets.map((target) => this.#writeOne(target, update, compose, written)))
    const failed = results.flatMap((result, at) => {
      const target = targets[at]
      if (result.status === 'fulfilled' || target === undefined) return []
      return [{ target, error: ofChoice(toError(result.reason), target.given) }]
    })
    const [first] = failed
    if (first === undefined) return
    if (targets.length === 1) throw first.error
    const rejected = failed.flatMap(({ target, error }) => rejectedOf(target, error))
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
    compose: Compose<F>,
    written?: (target: F, isKept: boolean) => void,
  ): Promise<void> {
    const { truncate } = target
    let to = target
    const attempt = async () => {
      while (!(await withLock(to.file, () => this.#writeLocked(to, update, compose, written)))) {
        to = { ...target, file: await this.#paths.locate(target.given), isAssumed: false }
      }
    }
    await withRetries(this.#settings.retry, update.signal, attempt, (error) => this.#mayPass(error, update))
    this.#warnings.well(this.#name)
    if (truncate) this.#noteReplaced(to.file, update)
    if (update.hasRounds) this.#replacements.note(to.file, update, target.records.length)
  }

  /**
   * Writes to a file whose lock is held.
   *
   * @returns `false`, with nothing done, when the path that was chosen does not lead to the file any more
   */
  async #writeLocked<F extends Target<unknown>>(
    target: F,
    update: Update,
    compose: Compose<F>,
    written?: (target: F, isKept: boolean) => void,
  ): Promise<boolean> {
    const { file, given, truncate, isAssumed } = target
    const { signal } = update
    const { fsync } = this.#settings
    // at a path without links, the file that is held open shows by itself that it is still the one
    const isSeen = isAssumed === true && this.#paths.isPlain(given, file)
    const leads = isAssumed === true && !isSeen ? this.#paths.leadsTo(given, file) : true
    const held = truncate ? undefined : await takeHeld(file)
    if (!(await leads) || (isSeen && held === undefined)) {
      await held?.close()
      return false
    }
    const added = truncate ? undefined : (held ?? (await this.#failing(file, signal, () => openToAdd(file))))
    let isHeld = false
    try {
      const bytes = await compose(target, added)
      signal.throwIfAborted()
      await this.#failing(file, signal, async () => {
        const isKept =
          added === undefined
            ? await withDescriptors(() => write(file, bytes, { truncate, fsync }, signal))
            : await added.add(bytes, fsync, signal).then(() => true)
        written?.(target, isKept)
      })
      isHeld = this.#holds && added?.mayStayOpen === true
    } finally {
      if (added !== undefined) await this.#failing(file, signal, () => (isHeld ? putBack(added) : added.close()))
    }
    if (isHeld) this.#keepInMind(given, file)
    return true
  }

  async #failing<R>(file: string, signal: AbortSignal, work: () => Promise<R>): Promise<R> {
    try {
      return await work()
    } catch (cause) {
      if (signal.aborted && cause === signal.reason) throw cause
      throw fileError(this.#outlet, 'write to', file, cause)
    }
  }

  /** The target of a batch whose records all are added to one file that is held open; else `undefined`. */
  #knownTarget<T>(records: readonly Record<T>[]): Target<T> | undefined {
    const given = records[0]?.metadata[this.#keys.path]
    const file = this.#known.get(given)
    if (file === undefined) return undefined
    let latest: Metadata | undefined
    for (const { metadata } of records) {
      if (metadata === latest) continue
      if (metadata[this.#keys.path] !== given || this.#modeOf(metadata) === 'w') return undefined
      latest = metadata
    }
    return { file, given, isAssumed: true, truncate: false, records, indices: records.map((_, index) => index) }
  }

  #keepInMind(given: unknown, file: string): void {
    if (this.#known.size >= MOST_PATHS) this.#known.clear()
    this.#known.set(given, file)
  }

  /** The target of a round: a new file, if its content is to be replaced, and can be. */
  async #inRounds<T extends { file: string; truncate: boolean }>(target: T, update: Update): Promise<T> {
    try {
      const made = await this.#replacements.of(target.file, update, target.truncate)
      return made === undefined ? target : { ...target, file: made, truncate: false }
    } catch (cause) {
      if (update.signal.aborted && cause === update.signal.reason) throw cause
      throw fileError(this.#outlet, 'write to', target.file, cause)
    }
  }

  get #name(): string {
    return `${this.#outlet}(${this.#paths.own})`
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

  #modeOf(metadata: Metadata): FileMode {
    const { mode } = this.#keys
    return checkWord(mode, metadata[mode], FILE_MODES, this.#settings.fileMode)
  }
}

/** Codes of errors of the system that are the fault of a path. */
const OF_PATH = new Set(['EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL'])

/** An error, which is of a record where the record chose what is wrong: a mode, or the path of its file. */
function ofChoice(error: Error, path: unknown): Error {
  if (error instanceof InvalidOptionError) return ofRecord(error)
  const { cause } = error
  const isOfPath = cause instanceof Error && 'code' in cause && OF_PATH.has(String(cause.code))
  return path !== undefined && isOfPath && error instanceof FileError ? ofRecord(error) : error
}

/** Records of a file that was not written while others were: only those that the error blames, or all that chose it, are refused. */
function rejectedOf({ indices }: Target<unknown>, error: Error): RejectedRecord[] {
  const blamed = new Map(blamedRecords(error).map((one) => [one.index, one.error]))
  const why = blamed.size > 0 ? new UntriedRecordError(`not written: ${error.message}`, { cause: error }) : error
  if (failureClass(why) === 'unknown') Object.assign(why, { retryable: true })
  return indices.map((index) => ({ index, error: blamed.get(index) ?? why }))
}
