import { InvalidOptionError } from './errors.js'

/** @throws {@link InvalidOptionError} unless it is an object, and no array */
export function checkObject(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, 'an object', value)
  }
}
