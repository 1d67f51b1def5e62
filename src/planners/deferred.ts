/** A promise, and the means to settle it from outside. */
export class Deferred {
  readonly promise: Promise<void>
  #settled = false
  #resolve: () => void = () => undefined
  #reject: (reason: Error) => void = () => undefined

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Whether the promise is settled. */
  get settled(): boolean {
    return this.#settled
  }

  resolve(): void {
    this.#settled = true
    this.#resolve()
  }

  reject(reason: Error): void {
    this.#settled = true
    this.#reject(reason)
  }
}
