import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { MetadataKey } from '../../core/outlet.js'
import { fileError } from '../errors.js'
import { isWithin, realTarget } from './real-target.js'
import type { TargetSettings } from './target-options.js'

/** Paths that the records of an outlet may choose, and where they lead. */
export class TargetPaths {
  /** Path of the records that choose none. */
  readonly own: string
  readonly #outlet: string
  readonly #key: MetadataKey
  readonly #baseFolder: string
  readonly #allowAny: boolean

  /**
   * @param outlet - name of the outlet, for errors
   * @param key - metadata key under which records choose a path
   * @param filepath - path of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(outlet: string, key: MetadataKey, filepath: string, settings: TargetSettings) {
    this.own = path.resolve(checkPath(`${outlet}.filepath`, filepath))
    this.#outlet = outlet
    this.#key = key
    this.#baseFolder = path.resolve(settings.baseFolder ?? path.dirname(this.own))
    this.#allowAny = settings.allowAnyPath
  }

  /** Real path of the file that a record chose. Nothing after this trusts the path in the metadata. */
  async locate(given: unknown): Promise<string> {
    const file = await this.#follow(this.#resolve(given))
    if (given === undefined || this.#allowAny || isWithin(await this.#follow(this.#baseFolder), file)) return file
    throw new InvalidOptionError(this.#key, `a path within ${this.#baseFolder}`, given)
  }

  /** Whether a path has no links in it, as far as it was followed to this file, and no folder to stay in. */
  isPlain(given: unknown, file: string): boolean {
    return given === undefined && file === this.own
  }

  /** Whether a path that a record chose still leads to an existing file to which it led before, and may. */
  async leadsTo(given: unknown, file: string): Promise<boolean> {
    const isFree = given === undefined || this.#allowAny
    try {
      const [real, folder] = await Promise.all([
        realpath(this.#resolve(given)),
        isFree ? undefined : realpath(this.#baseFolder),
      ])
      return real === file && (folder === undefined || isWithin(folder, file))
    } catch {
      return false
    }
  }

  #resolve(given: unknown): string {
    return given === undefined ? this.own : path.resolve(this.#baseFolder, checkPath(this.#key, given))
  }

  async #follow(file: string): Promise<string> {
    try {
      return await realTarget(file)
    } catch (cause) {
      throw fileError(this.#outlet, 'find', file, cause)
    }
  }
}
