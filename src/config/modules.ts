import { statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { InvalidOptionError } from '../base/errors.js'
import { lazy } from '../base/libraries.js'
import { nearFile } from '../base/near-file.js'
import { moduleUrl } from '../threads/protocol/module-url.js'

const tinyglobby = lazy<typeof import('tinyglobby')>('tinyglobby')

/** Files that a pattern may stand for: code, but no declarations of types. */
const CODE = /(?<!\.d)\.[cm]?[jt]sx?$/

/**
 * A link module, which must be a file that exists, as a URL. Whether it can be loaded is seen later.
 *
 * @param argument - what names it, for the error
 * @throws {@link InvalidOptionError}
 */
export function existingModule(argument: string, module: string | URL, folder = process.cwd()): string {
  const isPath = typeof module === 'string' && !/^[a-z][a-z0-9+.-]+:/i.test(module)
  const url = moduleUrl(argument, isPath && module !== '' ? path.resolve(folder, module) : module)
  const file = isFile(argument, url, module)
  if (file === undefined) {
    throw new InvalidOptionError(argument, 'a link module that exists', module, { hint: nearFile(fileURLToPath(url)) })
  }
  if (!file) throw new InvalidOptionError(argument, 'a link module, which is a file', module)
  return url
}

/** Whether a URL is a file; `undefined` when nothing is there. */
function isFile(argument: string, url: string, module: string | URL): boolean | undefined {
  try {
    return statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isFile()
  } catch (cause) {
    throw new InvalidOptionError(argument, 'a link module that can be read', module, { cause })
  }
}

/**
 * URLs of the link modules that a configuration names, each once: in the order of the list, and those of a pattern in that of
 * their paths.
 *
 * @param place - where the configuration names them, for the error
 * @param folder - what relative paths are relative to
 * @throws {@link InvalidOptionError}
 */
export function modulesOf(place: string, modules: unknown, folder: string): string[] {
  const list: readonly unknown[] = Array.isArray(modules) ? modules : [modules]
  const isText = (one: unknown): one is string => typeof one === 'string'
  const ignored = list.filter(isText).flatMap((one) => (one.startsWith('!') ? [one.slice(1)] : []))
  const urls = list.flatMap((one, at) => {
    const name = Array.isArray(modules) ? `${place}[${at}]` : place
    if (one instanceof URL) return [existingModule(name, one)]
    if (!isText(one) || one === '') throw new InvalidOptionError(name, 'a path or a file: URL of a link module', one)
    if (one.startsWith('!')) return []
    if (!tinyglobby().isDynamicPattern(one) || exists(path.resolve(folder, one)))
      return [existingModule(name, one, folder)]
    return matches(name, one, folder, ignored)
  })
  if (urls.length === 0) throw new InvalidOptionError(place, 'at least one link module', modules)
  return [...new Set(urls)]
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined
}

/** Files that fit a pattern. */
function matches(name: string, pattern: string, folder: string, ignored: readonly string[]): string[] {
  const options = { cwd: folder, absolute: true, ignore: ['**/node_modules/**', ...ignored] }
  const files = tinyglobby()
    .globSync(pattern, options)
    .filter((file) => CODE.test(file))
  if (files.length === 0) {
    throw new InvalidOptionError(name, 'a pattern that some file with code fits', pattern, {
      hint: `none in ${folder} does`,
    })
  }
  return files.sort().map((file) => moduleUrl(name, pathToFileURL(file)))
}
