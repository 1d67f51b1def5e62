import { createRequire } from 'node:module'

/** The libraries, and large parts of Node, that only some threads need. */
interface Libraries {
  readonly 'cron-parser': typeof import('cron-parser')
  readonly 'csv-parse/sync': typeof import('csv-parse/sync')
  readonly 'csv-stringify/sync': typeof import('csv-stringify/sync')
  readonly 'node:crypto': typeof import('node:crypto')
  readonly 'node:http': typeof import('node:http')
  readonly 'node:tty': typeof import('node:tty')
  readonly 'node:zlib': typeof import('node:zlib')
  readonly 'node-schedule': typeof import('node-schedule')
  readonly pino: typeof import('pino')
  readonly piscina: typeof import('piscina')
}

const require = createRequire(import.meta.url)

const loaded = new Map<keyof Libraries, unknown>()

/**
 * A library, loaded at its first use: every thread loads its own copy of all that this package imports, and most threads
 * need little of it. At once, so that what uses it needs not wait.
 */
export function library<N extends keyof Libraries>(name: N): Libraries[N] {
  let found = loaded.get(name)
  if (found === undefined) {
    found = require(name)
    loaded.set(name, found)
  }
  return found as Libraries[N]
}
