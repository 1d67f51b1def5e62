import { toError } from './errors.js'

/** Several errors as one: itself when there is only one, `undefined` when there is none. */
export function oneError(errors: readonly unknown[], message: string): Error | undefined {
  if (errors.length === 0) return undefined
  return errors.length === 1 ? toError(errors[0]) : new AggregateError(errors, `${message}: ${messagesOf(errors)}`)
}

/** Throws several errors as one, if there are any. */
export function throwAny(errors: readonly unknown[], message: string): void {
  const error = oneError(errors, message)
  if (error !== undefined) throw error
}

/** Most errors whose messages are in the message of them all. */
const SHOWN = 10

function messagesOf(errors: readonly unknown[]): string {
  const shown = errors.slice(0, SHOWN).map((error) => toError(error).message)
  return errors.length > SHOWN ? `${shown.join('; ')}; and ${errors.length - SHOWN} more` : shown.join('; ')
}
