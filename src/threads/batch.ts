/**
 * Gathers what is asked for in one tick, to send it as one.
 *
 * @typeParam Q - a question
 * @typeParam A - its answer
 */
export class Batch<Q, A> {
  readonly #send: (questions: readonly Q[]) => Promise<readonly A[]>
  #questions: Q[] = []
  /** What answers them; one for all that is asked for in this tick. */
  #answers: Promise<readonly A[]> | undefined

  /** @param send - answers many questions at once, in their order */
  constructor(send: (questions: readonly Q[]) => Promise<readonly A[]>) {
    this.#send = send
  }

  /** Asks, together with all that is asked for in this tick. */
  add(question: Q): Promise<A> {
    this.#answers ??= Promise.resolve().then(() => this.#flush())
    const at = this.#questions.push(question) - 1
    return this.#answers.then((answers) => answers[at] as A)
  }

  #flush(): Promise<readonly A[]> {
    const questions = this.#questions
    this.#questions = []
    this.#answers = undefined
    return this.#send(questions)
  }
}
