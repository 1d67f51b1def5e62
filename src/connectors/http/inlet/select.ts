import { checkFieldPath, fieldAt } from '../../../base/field-path.js'
import { InvalidOptionError } from '../../../base/errors.js'
import { isPromiseLike } from '../../../base/maybe-promise.js'
import type { HttpFormat } from '../format.js'
import type { NextPage } from './next-link.js'

interface Selecting<T> {
  select(body: unknown): T | readonly T[] | null
}

/**
 * Function that gives the records of a parsed body: a list of them, one, or `null` for none. The type of the body is
 * believed, not checked.
 *
 * @typeParam T - type of the payloads
 */
export type SelectRecords<T = unknown> = Selecting<T>['select']

/** @throws {@link InvalidOptionError} */
export function readSelect(name: string, given: string | SelectRecords | undefined): SelectRecords | undefined {
  if (given === undefined || typeof given === 'function') return given
  const path = checkFieldPath(name, given, 'a function')
  return (body) => {
    const found = fieldAt(body, path)
    if (found === undefined) throw new Error(`the body has no ${given}`)
    return found
  }
}

/** @throws {@link InvalidOptionError} */
export function readNext(name: string, given: string | NextPage | undefined): NextPage | undefined {
  if (given === undefined || typeof given === 'function') return given
  const path = checkFieldPath(name, given, 'a function')
  return ({ body }) => {
    const found = fieldAt(body, path) as string | null | undefined
    return found === '' ? undefined : found
  }
}

/**
 * @param instead - what else to give
 * @throws {@link InvalidOptionError} on a path where bodies have no fields
 */
export function checkHasFields(name: string, given: unknown, format: HttpFormat, instead = 'a function'): void {
  if (typeof given === 'string' && format !== 'json') {
    throw new InvalidOptionError(name, `${instead} with the format ${format}, whose bodies have no fields`, given)
  }
}

/**
 * The records that a function finds in a body; `null` is none.
 *
 * @throws when it fails, or gives nothing
 */
export function selectRecords(select: SelectRecords, body: unknown): unknown {
  const found = select(body)
  if (found === undefined) throw new Error('it gave undefined: return [] for no records')
  if (isPromiseLike(found)) throw new Error('it gave a promise, but must give the records at once')
  return found ?? []
}
