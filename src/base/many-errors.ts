import { toError } from './errors.js'

/** Several errors as one: itself when there is only one, `undefined` when there is none. */
export function oneError(errors: readonly unknown[], message: string): Error | undefined {
  if (errors.length === 0) return undefined
  return errors.length === 1
    ? toError(errors[0])
    : new AggregateError(errors, `${message}: ${errors.map(messageOf).join('; ')}`)
}

/** Throws several errors as one, if there are any. */
export function throwAny(errors: readonly unknown[], message: string): void {
  const error = oneError(errors, message)
  if (error !== undefined) throw error
}

function messageOf(thrown: unknown): string {
  return toError(thrown).message
}
