import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const here = fileURLToPath(import.meta.url)

/** Files that a library may have open at once as it is loaded: it loads its parts one after the other. */
export const FILES_OF_LIBRARY = 8
/** Files that an ES module may have open at once as it is loaded: Node opens all that it imports together. */
const FILES_OF_MODULE = 100

/** Number of times that {@link importLater} looks for file descriptors, and the time between, in milliseconds. */
const MOST_TRIES = 10
const PAUSE = 30

/** What was required, by its name: it can be had without a file. */
const required = new Map<string, unknown>()
/** What was imported, or is being imported, by its loader. */
const imported = new WeakMap<() => Promise<unknown>, Promise<unknown>>()

/**
 * Loader of a library, or of a large part of Node, that only some threads need. Every thread loads its own copy of all
 * that this package imports, so these are loaded at their first use; synchronously, so that their users need not wait.
 * What a node needs for its transfers, its start loads. A load that failed for a reason that passes can be tried again.
 *
 * @example const zlib = lazy<typeof import('node:zlib')>('node:zlib')
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what is loaded has no type but this
export function lazy<M>(name: string): () => M {
  let loaded: M | undefined
  return () => (loaded ??= load(name) as M)
}

/**
 * Imports at its first use what only some threads need. What the same loader has imported is given without a look at file
 * descriptors. An import that failed for want of them can be tried again.
 *
 * @param load - the loader, which lives as long as its module: a new function is another loader
 * @param files - number of files that it may have open at once. Default: enough for any module of this package
 * @throws {@link FileShortageError} while fewer can be opened
 * @example
 * const importPages = () => import('./pages.js')
 * const { Pages } = await importLater(importPages)
 */
export function importLater<M>(load: () => Promise<M>, files = FILES_OF_MODULE): Promise<M> {
  let importing = imported.get(load) as Promise<M> | undefined
  if (importing === undefined) {
    importing = importNow(load, files)
    imported.set(load, importing)
    importing.catch(() => imported.delete(load))
  }
  return importing
}

async function importNow<M>(load: () => Promise<M>, files: number): Promise<M> {
  for (let tries = 1; ; tries++) {
    try {
      checkDescriptors(files)
      break
    } catch (error) {
      if (tries === MOST_TRIES) throw error
      await delay(PAUSE) // other threads may be loading code, too
    }
  }
  return load()
}

function load(name: string): unknown {
  if (required.has(name)) return required.get(name)
  // parts of Node are in its program
  if (!name.startsWith('node:')) checkDescriptors(FILES_OF_LIBRARY)
  const library: unknown = require(name)
  required.set(name, library)
  return library
}

/** Error of a load for which the process has too few file descriptors left. */
export class FileShortageError extends Error {
  override readonly name = 'FileShortageError'
  readonly code: string

  constructor(code: string, files: number, cause: unknown) {
    super(`${code}: code cannot be loaded now, as that may take ${files} file descriptors: see ulimit -n`, { cause })
    this.code = code
  }
}

/**
 * Checks that so many files can be opened now. A thread remembers for good that a module could not be read, and Node 20
 * even that a package.json could not: so no load may begin that would fail for want of descriptors.
 */
function checkDescriptors(files: number): void {
  const open: number[] = []
  try {
    while (open.length < files) open.push(openSync(here, 'r'))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EMFILE' || code === 'ENFILE') throw new FileShortageError(code, files, error)
  } finally {
    for (const descriptor of open) closeSync(descriptor)
  }
}
