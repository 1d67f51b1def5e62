import { toError, sortOf } from '../base/errors.js'
import { func } from '../base/options.js'
import { pathText, shownPath, type Steps } from '../base/payload-path.js'
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
export function refusal(outlet: string, what: string, thrown: unknown): InvalidPayloadError {
  const cause = toError(thrown)
  // what code of others throws may hold the payload
  const why =
    thrown instanceof LossError ? `${cause.message}: make it plain data, or use the option serialize` : cause.message
  return new InvalidPayloadError(`${outlet}: ${what}: ${why}`, { cause })
}
