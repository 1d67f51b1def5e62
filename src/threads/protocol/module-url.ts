import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidOptionError } from '../../base/errors.js'

/**
 * Gives the URL of a module that is given as a URL or as a path; a relative path is relative to the working folder.
 *
 * @param option - name of the option that gives it, for the error
 * @param what - what the module is, for the error
 *
 * @throws {@link InvalidOptionError} unless it is a path or a `file:` URL
 */
export function moduleUrl(option: string, module: URL | string, what = 'a link module'): string {
  const expected = `a path or a file: URL of ${what}`
  if (typeof module === 'string' && !/^[a-z][a-z0-9+.-]+:/i.test(module)) {
    if (module === '') throw new InvalidOptionError(option, expected, module)
    return pathToFileURL(realPath(resolve(module))).href
  }
  const url = typeof module === 'string' ? parseUrl(option, expected, module) : module
  if (!(url instanceof URL) || url.protocol !== 'file:') throw new InvalidOptionError(option, expected, module)
  return url.href
}

/** Follows the links of the file system, so that a module is known under one name. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}

function parseUrl(option: string, expected: string, text: string): URL {
  try {
    return new URL(text)
  } catch (cause) {
    throw new InvalidOptionError(option, expected, text, { cause })
  }
}
