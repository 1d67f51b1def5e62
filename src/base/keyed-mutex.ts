/** A mutex per object: callers that share an object have it one after the other. */
export class KeyedMutex {
  /** Promises that settle when the last caller of an object is done with it. */
  readonly #rows = new WeakMap<object, Promise<unknown>>()

  /**
   * Waits until the object is free. Resolves with the function that frees it again.
   *
   * @param wait - how to wait for those ahead; when it rejects, the turn is given up
   */
  async take(shared: object, wait: (ahead: Promise<unknown>) => Promise<unknown>): Promise<() => void> {
    const ahead = this.#rows.get(shared)
    let end = () => {}
    const mine = new Promise<void>((resolve) => {
      end = resolve
    })
    const row = ahead === undefined ? mine : Promise.all([ahead, mine])
    this.#rows.set(shared, row)
    try {
      if (ahead !== undefined) await wait(ahead)
    } catch (error) {
      end()
      throw error
    }
    return () => {
      end()
      if (this.#rows.get(shared) === row) this.#rows.delete(shared)
    }
  }
}
