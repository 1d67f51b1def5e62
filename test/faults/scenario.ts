/** One fault, and what was seen of it. */
export interface Scenario {
  readonly name: string
  /** Injects the fault and looks what comes of it; throws when it is not what was promised. */
  run(): Promise<Outcome>
}

export interface Outcome {
  /** What held, in a few words. */
  readonly held: string
  /** How long it took until everything was as before, in milliseconds; `undefined` where nothing had to recover. */
  readonly recovery?: number
}

/** @throws when a promise is broken: says which */
export function expect(holds: boolean, promise: string): void {
  if (!holds) throw new Error(promise)
}

/** @throws when a judge found something wrong */
export function expectNothingWrong(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(wrong.slice(0, 3).join('; '))
}
