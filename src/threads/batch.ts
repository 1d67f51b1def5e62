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
  #questions: Q[] = []
  /** What answers them; one for all that is asked for in this tick. */
  #answers: Promise<readonly A[]> | undefined

  /**
   * @param send - answers many questions at once, in their order
   * @param take - makes of an answer what whoever asked is told, or throws: one promise for both
   */
  constructor(send: (questions: readonly Q[]) => Promise<readonly A[]>, take: (answer: A) => R) {
    this.#send = send
    this.#take = take
  }

  /** Asks, together with all that is asked for in this tick. */
  add(question: Q): Promise<R> {
    this.#answers ??= Promise.resolve().then(() => this.#flush())
    const at = this.#questions.push(question) - 1
    return this.#answers.then((answers) => this.#take(answers[at] as A))
  }

  #flush(): Promise<readonly A[]> {
    const questions = this.#questions
    this.#questions = []
    this.#answers = undefined
    return this.#send(questions)
  }
}
