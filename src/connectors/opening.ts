/**
 * What a connector holds open while it is started, such as a connection: it is opened once, however often that is asked for, and
 * is let go also while it is being opened.
 */
export class Opening<S> {
  #opening: Promise<S> | undefined
  #opened: S | undefined

  /** What is open; `undefined` unless it is open. */
  get opened(): S | undefined {
    return this.#opened
  }

  /**
   * Opens it, unless it is open. Resolves with what is open; `undefined` when it was let go meanwhile.
   *
   * @throws what `make` throws; the next call tries again
   */
  async open(make: () => Promise<S>): Promise<S | undefined> {
    const opening = (this.#opening ??= make())
    try {
      const opened = await opening
      if (this.#opening !== opening) return undefined
      return (this.#opened = opened)
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined
      throw error
    }
  }

  /** Lets it go at once. Resolves with what is to be closed, which may still be opening; `undefined` for nothing. */
  async letGo(): Promise<S | undefined> {
    const opening = this.#opening
    this.#opening = undefined
    this.#opened = undefined
    // what could not be opened needs no closing
    return opening?.catch(() => undefined)
  }
}
