import { InvalidOptionError } from '../../base/errors.js'
import type { Option } from '../../base/options.js'
import { shownUrl } from '../../base/url-credentials.js'

/**
 * Checks the name of a collection. It must be allowed by MongoDB, and not be the name of one of its own collections.
 */
export function checkCollection(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || /[$\0]|^system\.|^\.|\.$|\.\./.test(value)) {
    throw new InvalidOptionError(option, 'the name of a collection', value)
  }
  return value
}

/** Option that names a collection. */
export function collectionName(byDefault: string): Option<string, string> {
  return { byDefault: `'${byDefault}'`, read: (name, value) => checkCollection(name, value ?? byDefault) }
}

/** Checks the name of a database. */
export function checkDatabase(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || /[/\\. "$*<>:|?\0]/.test(value)) {
    throw new InvalidOptionError(option, 'the name of a database', shownUrl(value))
  }
  return value
}
