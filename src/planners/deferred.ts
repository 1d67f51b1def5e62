/** A promise, and how to settle it. */
export interface Settleable {
  readonly promise: Promise<void>
  readonly settled: boolean
  resolve(): void
  reject(reason: Error): void
}

export function settleable(): Settleable {
  let settled = false
  let resolve: () => void = () => undefined
  let reject: (reason: Error) => void = () => undefined
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return {
    promise,
    get settled() {
      return settled
    },
    resolve() {
      settled = true
      resolve()
    },
    reject(reason) {
      settled = true
      reject(reason)
    },
  }
}
