import { InvalidOptionError } from './errors.js'

/** Names of fields that lead to a value in nested objects and lists: `data.items` has two. */
export type FieldPath = readonly string[]

/**
 * Reads a path: names with dots between.
 *
 * @param otherwise - what else the option may be, for the error
 * @throws {@link InvalidOptionError}
 */
export function checkFieldPath(option: string, path: unknown, otherwise?: string): FieldPath {
  if (typeof path === 'string' && /^[^.]+(\.[^.]+)*$/.test(path)) return path.split('.')
  const orElse = otherwise === undefined ? '' : `, or ${otherwise}`
  throw new InvalidOptionError(option, `the path of a field, like 'id' or 'data.items'${orElse}`, path)
}

/** Value at a path; `undefined` where there is none. */
export function fieldAt(value: unknown, path: FieldPath): unknown {
  let at = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as { readonly [name: string]: unknown })[name]
  }
  return at
}
