import { createRequire } from 'node:module'
import { ordersOfThisProcess, type OperationKill } from './orders.js'

const require = createRequire(import.meta.url)

type Method = (this: unknown, ...args: unknown[]) => unknown

interface Library {
  readonly database: object
  readonly statement: object
}

/** Kills this process at an operation of the store, if that is ordered for this thread. Reads are no operations. */
export function killAtOperation(thread: OperationKill['where']): void {
  const { kill } = ordersOfThisProcess()
  if (kill?.where !== thread) return
  let done = 0
  const count = (when: OperationKill['when']) => {
    if (when === 'before') done++
    if (done === kill.at && when === kill.when) process.kill(process.pid, 'SIGKILL')
  }
  for (const { database, statement } of libraries()) {
    wrap(database, 'exec', count)
    wrap(statement, 'run', count)
  }
}

/** Has a function called before and after each COMMIT of this thread. */
export function onCommit(call: (when: OperationKill['when']) => void): void {
  for (const { database } of libraries()) {
    wrap(database, 'exec', (when, [sql]) => {
      if (sql === 'COMMIT') call(when)
    })
  }
}

type Count = (when: OperationKill['when'], args: readonly unknown[]) => void

function wrap(prototype: object, name: 'exec' | 'run', count: Count): void {
  const method: unknown = Reflect.get(prototype, name)
  const counted: Method = function (...args) {
    count('before', args)
    const result = Reflect.apply(method as Method, this, args)
    count('after', args)
    return result
  }
  Reflect.set(prototype, name, counted)
}

/** The libraries of SQLite that a store may have. */
function libraries(): Library[] {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is put back
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    const { DatabaseSync, StatementSync } = require('node:sqlite') as { [name: string]: { prototype: object } }
    if (DatabaseSync && StatementSync) return [{ database: DatabaseSync.prototype, statement: StatementSync.prototype }]
  } catch {
    // Node 20 has none
  } finally {
    process.emitWarning = emitWarning
  }
  const Libsql = require('libsql') as new (file: string) => { prepare(sql: string): object; close(): void }
  const opened = new Libsql(':memory:')
  const statement = Object.getPrototypeOf(opened.prepare('SELECT 1')) as object
  opened.close()
  return [{ database: Libsql.prototype as object, statement }]
}
