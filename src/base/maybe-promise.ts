/*
 * What may be there at once or come later. Code that runs for every transfer waits only for what is not there yet: a
 * promise that is awaited costs about as much as all else that a small transfer does.
 */

export type MaybePromise<T> = T | Promise<T>

/** Goes on with a value: at once, or when it comes. */
export function then<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Whether a value is a promise of any kind. */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
