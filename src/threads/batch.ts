interface Waiting<Q, A> {
  readonly question: Q
  readonly resolve: (answer: A) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers what is asked for in one tick, to send it as one.
 *
 * @typeParam Q - a question
 * @typeParam A - its answer
 */
export class Batch<Q, A> {
  readonly #send: (questions: readonly Q[]) => Promise<readonly A[]>
  #waiting: Waiting<Q, A>[] = []

  /** @param send - answers many questions at once, in their order */
  constructor(send: (questions: readonly Q[]) => Promise<readonly A[]>) {
    this.#send = send
  }

  /** Asks, together with all that is asked for in this tick. */
  add(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    const asked = this.#waiting
    this.#waiting = []
    try {
      const answers = await this.#send(asked.map(({ question }) => question))
      asked.forEach(({ resolve }, index) => {
        resolve(answers[index] as A)
      })
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}
