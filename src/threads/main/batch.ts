/** Number of questions that are sent as one at most: the other side begins with them while others are still asked. */
const MOST = 512

/** A question that was asked, and how its promise is settled. */
interface Asked<Q, R> {
  readonly question: Q
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers the questions of one tick, to send them as one. Each has its answer as soon as that is there.
 *
 * @typeParam Q - a question
 * @typeParam A - its answer
 * @typeParam R - what an answer is made into
 */
export class Batch<Q, A, R = A> {
  readonly #send: (questions: readonly Q[], early: (at: number, answer: A) => void) => Promise<readonly A[]>
  readonly #take: (answer: A) => R
  readonly #most: number
  #asked: Asked<Q, R>[] = []

  /**
   * @param send - answers many questions at once, in their order. May call `early` with the answer to one, by its place,
   * while others take longer
   * @param take - makes an answer into the result of its question, or throws
   * @param most - number of questions that are sent as one; further ones of the same tick are sent as another
   */
  constructor(
    send: (questions: readonly Q[], early: (at: number, answer: A) => void) => Promise<readonly A[]>,
    take: (answer: A) => R,
    most: number = MOST,
  ) {
    this.#send = send
    this.#take = take
    this.#most = most
  }

  /** Asks a question, together with all others of this tick. */
  add(question: Q): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) queueMicrotask(() => this.#flush())
      this.#asked.push({ question, resolve, reject })
      if (this.#asked.length === this.#most) this.#flush()
    })
  }

  #flush(): void {
    // they were so many that they were sent already
    if (this.#asked.length === 0) return
    const asked = this.#asked
    this.#asked = []
    const settle = (at: number, answer: A) => {
      // a promise that was settled early is not settled again
      const one = asked[at]
      if (one === undefined) return
      try {
        one.resolve(this.#take(answer))
      } catch (thrown) {
        one.reject(thrown)
      }
    }
    const questions = asked.map(({ question }) => question)
    this.#send(questions, settle).then(
      (answers) => {
        for (const [at, answer] of answers.entries()) settle(at, answer)
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error)
      },
    )
  }
}
