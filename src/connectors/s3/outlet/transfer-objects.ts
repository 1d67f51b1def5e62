import { throwAny } from '../../../base/many-errors.js'
import { toError } from '../../../base/errors.js'
import type { Update } from '../../../core/update.js'
import type { Group } from './group.js'
import { OpenObject, type ObjectStyle } from './open-object.js'
import type { Destination } from './upload.js'

/**
 * The objects of one transfer, by their keys, which hold all of its batches. They are there when the transfer is over: all of
 * them, or none where one has failed before.
 */
export class TransferObjects {
  readonly #style: ObjectStyle
  readonly #to: (key: string) => Destination
  readonly #objects = new Map<string, OpenObject>()
  /** Number of records that were taken. */
  #taken = 0
  #failure: Error | undefined
  /** Whether a push has told of the failure. */
  #isTold = false
  #isOver = false

  constructor(style: ObjectStyle, to: (key: string) => Destination) {
    this.#style = style
    this.#to = to
  }

  /** @throws why nothing may be added any more, if so */
  checkOpen(): void {
    if (this.#isOver) throw new Error('its transfer is over')
    if (this.#failure === undefined) return
    this.#isTold = true
    throw this.#failure
  }

  /** The object of a key. */
  of(key: string): OpenObject {
    let object = this.#objects.get(key)
    if (object === undefined) {
      object = new OpenObject(this.#style)
      this.#objects.set(key, object)
    }
    return object
  }

  /**
   * Uploads what can be uploaded of a batch that was added.
   *
   * @throws what has failed: then none of the objects will be there
   */
  async send(groups: readonly Group[], update: Update): Promise<void> {
    const records = groups.reduce((sum, { indices }) => sum + indices.length, 0)
    try {
      for (const { key, object } of groups) await object.send(this.#to(key), update)
      this.#taken += records
    } catch (thrown) {
      this.#failure ??= toError(thrown)
      this.#isTold = this.#taken > 0
      // when it is the first batch, it counts as taken until the end, so that its transfer fails, and it is pulled again
      if (this.#isTold) throw this.#failure
      this.#taken += records
    }
  }

  /**
   * Ends the transfer.
   *
   * @returns number of records that were taken, and are not kept
   * @throws what has failed, unless a push has told it
   */
  async end(update: Update, isComplete: boolean): Promise<number> {
    this.#isOver = true
    const taken = this.#taken
    if (!isComplete || this.#failure !== undefined) {
      await this.abort()
      if (this.#failure === undefined || this.#isTold) return taken
      throw this.#failure
    }
    const errors: Error[] = []
    for (const [key, object] of this.#objects) {
      try {
        // of those whose records were all refused, there is nothing
        if (errors.length > 0 || object.content.isEmpty) await object.abort()
        else await object.end(this.#to(key), update)
      } catch (thrown) {
        errors.push(toError(thrown))
        await object.abort()
      }
    }
    this.#objects.clear()
    throwAny(errors, 'several objects could not be written')
    return 0
  }

  /** Gives all objects up. Never rejects. */
  async abort(): Promise<void> {
    this.#isOver = true
    const objects = [...this.#objects.values()]
    this.#objects.clear()
    await Promise.all(objects.map((object) => object.abort()))
  }
}
