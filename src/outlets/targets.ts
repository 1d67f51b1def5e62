import path from 'node:path'
import { checkBoolean, checkPath, checkWord } from '../check.js'
import { FileError, InvalidOptionError, toError } from '../errors.js'
import type { MetadataKey } from '../outlet.js'
import type { Record } from '../record.js'
import { inTurn } from './append.js'
import { isWithin, realTarget } from './real-target.js'

/** How a file is written: `a` appends to it, `w` replaces what is in it at each push. */
export type FileMode = 'a' | 'w'
const FILE_MODES: readonly FileMode[] = ['a', 'w']

/** Options of outlets that write files, about which files they write. */
export interface TargetOptions {
  /**
   * How a file is written: `a` appends to it, `w` replaces what is in it. With `w`, a file holds what the last push
   * to it wrote. Records can override this in their metadata; a push in which one of a file's records says `w` replaces
   * what was in the file, and keeps all its records.
   * @default 'a'
   */
  readonly fileMode?: FileMode
  /**
   * Folder in which the records' metadata may choose files. A relative path in the metadata starts from here.
   * @default the folder of the outlet's file path
   */
  readonly baseFolder?: string
  /**
   * Whether the records' metadata may choose files outside `baseFolder`. Only for metadata that no outsider can
   * influence.
   * @default false
   */
  readonly allowAnyPath?: boolean
}

/** Names of the {@link TargetOptions}. */
export const TARGET_OPTIONS = ['fileMode', 'baseFolder', 'allowAnyPath'] as const

/** A file, and the records of a batch that go there. */
export interface Target<T> {
  /** Real path of the file. */
  readonly file: string
  readonly truncate: boolean
  readonly records: readonly Record<T>[]
}

/** Keys under which an outlet's records choose their file. */
export interface TargetKeys {
  readonly path: MetadataKey
  readonly mode: MetadataKey
}

/** Which file each record of an outlet goes to. */
export class Targets {
  readonly #outlet: string
  readonly #keys: TargetKeys
  readonly #filepath: string
  readonly #fileMode: FileMode
  readonly #baseFolder: string
  readonly #allowAnyPath: boolean

  /**
   * @param outlet - name of the outlet, for errors
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(outlet: string, keys: TargetKeys, filepath: string, options: TargetOptions) {
    this.#outlet = outlet
    this.#keys = keys
    this.#filepath = path.resolve(checkPath(`${outlet}.filepath`, filepath))
    this.#fileMode = checkWord(`${outlet}.fileMode`, options.fileMode, FILE_MODES, 'a')
    this.#baseFolder =
      options.baseFolder === undefined
        ? path.dirname(this.#filepath)
        : path.resolve(checkPath(`${outlet}.baseFolder`, options.baseFolder))
    this.#allowAnyPath = checkBoolean(`${outlet}.allowAnyPath`, options.allowAnyPath, false)
  }

  /**
   * Groups a batch by file. Files are in the order of their first record, and so are the records of a file.
   *
   * @throws {@link InvalidOptionError} on metadata that names no allowed file or mode
   */
  async group<T>(records: readonly Record<T>[]): Promise<Target<T>[]> {
    // many records share few paths, and following one costs several system calls
    const files = new Map<unknown, string>()
    const targets = new Map<string, { file: string; truncate: boolean; records: Record<T>[] }>()
    for (const record of records) {
      const given = record.metadata[this.#keys.path]
      const file = files.get(given) ?? (await this.#locate(given))
      files.set(given, file)
      const target = targets.get(file) ?? { file, truncate: false, records: [] }
      targets.set(file, target)
      target.records.push(record)
      if (this.#modeOf(record) === 'w') target.truncate = true
    }
    return [...targets.values()]
  }

  /**
   * Works on every file in its turn, all of them even when one fails.
   *
   * @throws the error, or an `AggregateError` of several
   */
  async each<F extends { readonly file: string }>(
    files: readonly F[],
    work: (file: F) => Promise<void>,
  ): Promise<void> {
    const results = await Promise.allSettled(files.map((file) => inTurn(file.file, () => work(file))))
    const errors = results.filter((result) => result.status === 'rejected').map(({ reason }) => toError(reason))
    const [first] = errors
    if (errors.length > 1) {
      const message = `${this.#outlet}: ${errors.length} of ${files.length} files failed: ${first?.message ?? ''}`
      throw new AggregateError(errors, message)
    }
    if (first !== undefined) throw first
  }

  #modeOf(record: Record): FileMode {
    const { mode } = this.#keys
    return checkWord(mode, record.metadata[mode], FILE_MODES, this.#fileMode)
  }

  /** The real path of the file that a record chose: what follows trusts no part of it. */
  async #locate(given: unknown): Promise<string> {
    if (given === undefined) return this.#follow(this.#filepath)
    const key = this.#keys.path
    const file = await this.#follow(path.resolve(this.#baseFolder, checkPath(key, given)))
    if (this.#allowAnyPath || isWithin(await this.#follow(this.#baseFolder), file)) return file
    throw new InvalidOptionError(key, `a path within ${this.#baseFolder}`, given)
  }

  async #follow(file: string): Promise<string> {
    try {
      return await realTarget(file)
    } catch (cause) {
      throw new FileError(file, `${this.#outlet}: cannot find ${file}: ${toError(cause).message}`, { cause })
    }
  }
}
