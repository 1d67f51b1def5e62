/** Fault to inject, with the promises to check. */
export interface Scenario {
  readonly name: string
  /** Injects the fault and checks what comes of it; throws when a promise is broken. */
  run(): Promise<Outcome>
}

export interface Outcome {
  /** Promises that held, in a few words. */
  readonly held: string
  /** Time until everything was as before, in milliseconds; `undefined` where nothing had to recover. */
  readonly recovery?: number
}

/** Throws when a promise is broken: the error says which. */
export function expect(holds: boolean, promise: string): void {
  if (!holds) throw new Error(promise)
}

/** Throws when a judge found something wrong. */
export function expectNothingWrong(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(wrong.slice(0, 3).join('; '))
}
