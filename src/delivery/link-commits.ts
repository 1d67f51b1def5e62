import { setImmediate as nextTurn } from 'node:timers/promises'
import { FencedError } from '../store/errors.js'
import type { Committed, LinkChanges, LinkStore } from '../store/link-store.js'

/**
 * Commits of a link, one after the other. One that cannot be made now, as the disk is full, is tried again by the store, for
 * ever; who waits for it hears of the trouble at once.
 */
export class LinkCommits {
  readonly #store: LinkStore
  #pending: Promise<unknown> | undefined
  #trouble: Error | undefined
  #fenced: FencedError | undefined

  constructor(store: LinkStore) {
    this.#store = store
  }

  /** Whether a commit is not made yet. Until it is, there is no other. */
  get isPending(): boolean {
    return this.#pending !== undefined
  }

  /** The error of a link that was opened again elsewhere; `undefined` while it was not. */
  get fenced(): FencedError | undefined {
    return this.#fenced
  }

  /**
   * Commits changes.
   *
   * @param written - called when they are on the disk, also long after this has thrown
   * @param failed - called when they will never be
   * @throws why they are not on the disk, or not yet
   */
  write(changes: LinkChanges, written: (committed: Committed) => void, failed: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const writing = this.#store.commit(changes, (trouble) => {
        this.#trouble = trouble
        reject(trouble)
      })
      this.#pending = writing.then(
        (committed) => {
          this.#end()
          written(committed)
          resolve()
        },
        (thrown: unknown) => {
          this.#end()
          if (thrown instanceof FencedError) this.#fenced = thrown
          failed()
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as thrown
          reject(thrown)
        },
      )
    })
  }

  /**
   * Has a commit that is not made yet tried again.
   *
   * @throws why it is not made
   */
  async retry(): Promise<void> {
    if (this.#pending === undefined) return
    this.#store.store.retry()
    await Promise.race([this.#pending, nextTurn()])
    if (this.isPending && this.#trouble !== undefined) throw this.#trouble
    await this.#pending
  }

  #end(): void {
    this.#pending = undefined
    this.#trouble = undefined
  }
}
