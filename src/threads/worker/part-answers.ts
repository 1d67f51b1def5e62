import type { OpenAnswer } from '../protocol/messages.js'

/** Answer to one question: `null`, or the error of what failed, or what is to say of a link that was opened. */
export type PartAnswer = OpenAnswer

/** Tells the answers to some questions, by their places. */
export type TellPart = (at: readonly number[], answers: readonly PartAnswer[]) => void

/**
 * Answers to questions that were asked as one. Those that are there at once make one answer; while some take longer, the
 * others are told by themselves, once for each turn of the event loop.
 */
export class PartAnswers {
  readonly #answers: PartAnswer[]
  readonly #tell: TellPart
  /** Places of the answers that were not told yet. */
  #untold: number[] = []
  #telling: NodeJS.Immediate | undefined

  constructor(count: number, tell: TellPart) {
    this.#answers = new Array<PartAnswer>(count).fill(null)
    this.#tell = tell
  }

  /** Takes the answer to the question in a place. */
  add(at: number, answer: PartAnswer): void {
    this.#answers[at] = answer
    this.#untold.push(at)
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined
      const untold = this.#untold
      this.#untold = []
      this.#tell(
        untold,
        untold.map((place) => this.#answers[place] ?? null),
      )
    })
  }

  /** Gives all answers, once they are there. */
  end(): PartAnswer[] {
    clearImmediate(this.#telling)
    return this.#answers
  }
}
