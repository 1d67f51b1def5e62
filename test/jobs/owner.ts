import type { Owner } from '../helpers/postgres.js'

/** Ends servers as a test does, outside of one. */
export class Teardowns implements Owner {
  readonly #steps: (() => unknown)[] = []

  teardown(step: () => unknown): void {
    this.#steps.push(step)
  }

  comment(text: string): void {
    console.error(text)
  }

  /** Ends all, the last first. */
  async end(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step()
  }
}
