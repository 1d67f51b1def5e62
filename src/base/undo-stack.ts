/** A stack of undo steps: what is acquired pushes its undo, and `undo()` runs them in reverse, each once. */
export class UndoStack {
  readonly #steps: (() => unknown)[] = []

  push(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Runs every step, the last one first, even when some fail. Resolves with the errors. */
  async undo(): Promise<unknown[]> {
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    return errors
  }
}
