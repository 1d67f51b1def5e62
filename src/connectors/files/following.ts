import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import type { Cursor } from '../../core/cursor.js'
import type { Update } from '../../core/update.js'
import type { FollowSettings } from './follow-options.js'
import type { FollowedFile } from './followed-file.js'
import { isHandedPosition, type HandedPosition } from './saved-position.js'
import type { Splitter } from './splitter.js'

const importFollowedFile = () => import('./followed-file.js')

/**
 * The {@link FollowedFile} of an inlet, whose code is loaded when the inlet is first started: every thread loads the
 * inlets that follow files, and most threads run none.
 */
export class Following<T, S> {
  readonly #connector: string
  readonly #path: string
  readonly #splitter: Splitter<T, S>
  readonly #settings: FollowSettings
  #file: FollowedFile<T, S> | undefined
  /** Position that was restored before the file was first started. */
  #restored: HandedPosition | undefined

  /**
   * @param connector - name of the inlet's class, for errors
   * @param path - path of the file
   */
  constructor(connector: string, path: string, splitter: Splitter<T, S>, settings: FollowSettings) {
    this.#connector = connector
    this.#path = path
    this.#splitter = splitter
    this.#settings = settings
  }

  /** Whether records that were not delivered are read again. */
  get redelivers(): boolean {
    return this.#settings.redeliver
  }

  /** Opens the file, see {@link FollowedFile.start}. */
  async start(link: string | undefined): Promise<void> {
    this.#splitter.load?.()
    const file = await this.#load()
    await file.start(link)
  }

  /** Reads the next records, see {@link FollowedFile.pull}; with `Infinity` all, see {@link FollowedFile.pullAll}. */
  async pull(max: number, update: Update, cursor?: Cursor): Promise<T[] | AsyncGenerator<T[], void>> {
    const file = await this.#load()
    const kept = cursor?.durable === true ? cursor : undefined
    return max === Infinity ? file.pullAll(update, kept) : file.pull(max, update, kept)
  }

  /** Notes how the transfer of a pull has ended, see {@link FollowedFile.ended}. */
  ended(update: Update, delivered: boolean, lists?: number): Promise<void> | undefined {
    return this.#file?.ended(update, delivered, lists)
  }

  /** Closes the files, see {@link FollowedFile.stop}. */
  async stop(): Promise<void> {
    await this.#file?.stop()
  }

  /** Position to go on at, see {@link FollowedFile.save}. */
  save(): HandedPosition | undefined {
    return this.#file === undefined ? this.#restored : this.#file.save()
  }

  /** Goes on at a saved position, see {@link FollowedFile.restore}. Ignores a state of any other kind. */
  restore(saved: unknown): void {
    if (!isHandedPosition(saved) || !this.#splitter.isState(saved.state)) return
    this.#restored = saved
    this.#file?.restore(saved)
  }

  async #load(): Promise<FollowedFile<T, S>> {
    if (this.#file !== undefined) return this.#file
    const module = await importLater(importFollowedFile)
    this.#file ??= this.#make(module)
    return this.#file
  }

  #make({ FollowedFile }: typeof import('./followed-file.js')): FollowedFile<T, S> {
    const log = getLogger(`databay.${this.#connector}`)
    const file = new FollowedFile(this.#connector, this.#path, this.#splitter, this.#settings, log)
    if (this.#restored !== undefined) file.restore(this.#restored)
    return file
  }
}
