/** The most questions that are sent as one: whoever answers them begins while others are still asked. */
const MOST = 512

/**
 * Gathers what is asked for in one tick, to send it as one.
 *
 * @typeParam Q - a question
 * @typeParam A - its answer
 * @typeParam R - what is made of an answer
 */
export class Batch<Q, A, R = A> {
  readonly #send: (questions: readonly Q[]) => Promise<readonly A[]>
  readonly #take: (answer: A) => R
  readonly #most: number
  #questions: Q[] = []
  /** What answers them; one for all that are sent as one. */
  #answers: Promise<readonly A[]> | undefined
  #answer: (answers: Promise<readonly A[]>) => void = () => undefined

  /**
   * @param send - answers many questions at once, in their order
   * @param take - makes of an answer what whoever asked is told, or throws: one promise for both
   * @param most - how many questions are sent at once; further ones of the same tick are sent by themselves
   */
  constructor(send: (questions: readonly Q[]) => Promise<readonly A[]>, take: (answer: A) => R, most: number = MOST) {
    this.#send = send
    this.#take = take
    this.#most = most
  }

  /** Asks, together with all that is asked for in this tick. */
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
    // those that it was to send were so many that they were sent already
    if (this.#answers === undefined) return
    const questions = this.#questions
    this.#questions = []
    this.#answers = undefined
    this.#answer(this.#send(questions))
  }
}
