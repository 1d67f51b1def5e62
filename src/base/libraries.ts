import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Loader of a library, or of a large part of Node, that only some threads need. Every thread loads its own copy of all
 * that this package imports, so these are loaded at their first use; synchronously, so that their users need not wait.
 *
 * @example const zlib = lazy<typeof import('node:zlib')>('node:zlib')
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what is loaded has no type but this
export function lazy<M>(name: string): () => M {
  let loaded: M | undefined
  return () => (loaded ??= require(name) as M)
}
