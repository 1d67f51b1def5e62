/** Number of questions that are sent as one at most: the other side begins with them while others are still asked. */
const MOST = 512

/**
 * Gathers the questions of one tick, to send them as one.
 *
 * @typeParam Q - a question
 * @typeParam A - its answer
 * @typeParam R - what an answer is made into
 */
export class Batch<Q, A, R = A> {
  readonly #send: (questions: readonly Q[]) => Promise<readonly A[]>
  readonly #take: (answer: A) => R
  readonly #most: number
  #questions: Q[] = []
  /** Answers to the questions: one promise for all that are sent as one. */
  #answers: Promise<readonly A[]> | undefined
  #answer: (answers: Promise<readonly A[]>) => void = () => undefined

  /**
   * @param send - answers many questions at once, in their order
   * @param take - makes an answer into the result of its question, or throws: one promise for both
   * @param most - number of questions that are sent as one; further ones of the same tick are sent as another
   */
  constructor(send: (questions: readonly Q[]) => Promise<readonly A[]>, take: (answer: A) => R, most: number = MOST) {
    this.#send = send
    this.#take = take
    this.#most = most
  }

  /** Asks a question, together with all others of this tick. */
  add(question: Q): Promise<R> {
    const at = this.#questions.push(question) - 1
    const answers = (this.#answers ??= this.#gather())
    if (this.#questions.length === this.#most) this.#flush()
    return answers.then((all) => this.#take(all[at] as A))
  }

  #gather(): Promise<readonly A[]> {
    queueMicrotask(() => {
      this.#flush()
    })
    return new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  #flush(): void {
    // they were so many that they were sent already
    if (this.#answers === undefined) return
    const questions = this.#questions
    this.#questions = []
    this.#answers = undefined
    this.#answer(this.#send(questions))
  }
}
