import { toError, sortOf } from '../base/errors.js'
import { fieldBeside, hiddenStateOf, inheritsData } from '../base/hidden-state.js'
import { func } from '../base/options.js'
import { pathText, shownPath, unreadablePart, type Steps } from '../base/payload-path.js'
import { InvalidPayloadError } from '../core/partial-push.js'

/**
 * What an outlet writes in the place of a value.
 *
 * @param value - the payload, or a part of it at any depth
 * @param path - where it is in the payload, like `user.tags[2]`; the empty text for the payload itself
 * @returns the value that is written; `undefined` for what the outlet does by itself
 */
export type Serialize = (value: unknown, path: string) => unknown

/** Option of outlets that write payloads as text or documents. */
export interface SerializeOptions {
  /**
   * What is written in the place of a value: a function of the value and its path, like `user.tags[2]`.
   *
   * It is called for the payload, with the path `''`, and for each value in it. `undefined` leaves a value to the
   * outlet. What it gives is written in the place of the value.
   * @default undefined - what would lose something is refused
   */
  readonly serialize?: Serialize
}

/** Table of {@link SerializeOptions}. */
export const SERIALIZE_OPTIONS = {
  serialize: func<Serialize>(undefined, 'undefined - what would lose something is refused'),
}

/** Part of a payload that would not be written as it is. The message says where it is, and what. */
export class LossError extends Error {}

/**
 * Error of a part that would be lost.
 *
 * @param what - what is wrong with it, such as `is a Map`
 */
export function loss(steps: Steps, what: string): LossError {
  return new LossError(`${shownPath(steps)} ${what}`)
}

/** Error of a part of a kind that the target has no form for. Shows the kind, never the value. */
export function noForm(steps: Steps, value: unknown): LossError {
  if (typeof value === 'number') return loss(steps, `is ${value}`)
  if (value instanceof Date) return loss(steps, 'is an invalid date')
  return loss(steps, `is ${sortOf(value)}`)
}

/**
 * Refuses an object that holds more than its own fields, or has a field that only a symbol names.
 *
 * @throws {@link LossError}
 */
export function checkAllInFields(steps: Steps, value: object): void {
  const hidden = hiddenStateOf(Object.getPrototypeOf(value) as object | null)
  if (hidden === 'private') throw loss(steps, `is ${sortOf(value)}, which has private fields`)
  if (hidden !== undefined || inheritsData(value)) throw noForm(steps, value)
  if (Object.getOwnPropertySymbols(value).length > 0) throw loss(steps, 'has a field that a symbol names')
}

/**
 * Refuses a value whose data is not in fields, such as a list or a date, but that has a field.
 *
 * @throws {@link LossError}
 */
export function checkFieldsBeside(steps: Steps, value: object): void {
  const field = fieldBeside(value)
  if (field !== undefined)
    throw loss([...steps, field], `is a field of ${Array.isArray(value) ? 'a list' : sortOf(value)}`)
}

/** Applies the option `serialize`. */
export function serialized(serialize: Serialize | undefined, value: unknown, steps: Steps): unknown {
  if (serialize === undefined) return value
  let given: unknown
  try {
    given = serialize(value, pathText(steps))
  } catch (cause) {
    throw new LossError(`serialize failed at ${shownPath(steps)}: ${toError(cause).message}`, { cause })
  }
  return given === undefined ? value : given
}

/**
 * Error with which an outlet refuses a payload.
 *
 * @param what - what the outlet cannot do, such as `a payload cannot be JSON`
 */
export function refusal(outlet: string, what: string, payload: unknown, thrown: unknown): InvalidPayloadError {
  const cause = toError(thrown)
  const why =
    thrown instanceof LossError
      ? `${cause.message}: make it plain data, or use the option serialize`
      : unreadable(payload, cause)
  return new InvalidPayloadError(`${outlet}: ${what}: ${why}`, { cause })
}

/** What code of others has thrown, with the part of the payload that it is of. */
function unreadable(payload: unknown, { message }: Error): string {
  const steps = unreadablePart(payload)
  return steps === undefined ? message : `${shownPath(steps)} cannot be read: ${message}`
}
