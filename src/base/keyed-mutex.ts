/** Lets those who share an object have it one after the other. */
export class Turns {
  /** Settles when the last one in the row of an object is done with it. */
  readonly #rows = new WeakMap<object, Promise<unknown>>()

  /**
   * Waits for the turn of whoever asks. Resolves with the function that ends it.
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
