import { Inlet, type InletOptions, type Pulled, type PulledStream } from '../../src/core/inlet.js'
import { Outlet, type OutletOptions } from '../../src/core/outlet.js'
import type { Record } from '../../src/core/record.js'
import type { Update } from '../../src/core/update.js'

type Give<T> = (update: Update) => Pulled<T> | PulledStream<T> | Promise<Pulled<T> | PulledStream<T>>
type Take = (records: Record[], update: Update) => void | Promise<void>

/** An inlet whose `pull` is a given function. */
export class FromInlet<T = unknown> extends Inlet<T> {
  readonly #give: Give<T>

  constructor(give: Give<T>, options?: InletOptions) {
    super(options)
    this.#give = give
  }

  pull(update: Update) {
    return this.#give(update)
  }
}

/** Makes an inlet that gives the same values at every transfer. */
export function giving<T>(...values: T[]): FromInlet<T> {
  return new FromInlet<T>(() => values)
}

/** An outlet that keeps its batches and updates, and calls a given function at each push. */
export class KeepOutlet extends Outlet {
  readonly batches: Record[][] = []
  readonly updates: Update[] = []
  readonly #take: Take

  constructor(take: Take = () => {}, options?: OutletOptions) {
    super(options)
    this.#take = take
  }

  push(records: Record[], update: Update): void | Promise<void> {
    this.batches.push(records)
    this.updates.push(update)
    return this.#take(records, update)
  }

  /** Payloads of the records so far, batch by batch. */
  get payloads(): unknown[][] {
    return this.batches.map((batch) => batch.map((record) => record.payload))
  }
}

/** Makes a promise, and the functions that settle it. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (reason: Error) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** Waits for one turn of the event loop. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** All that a pull gives, as one list: what it returns, or what it streams. */
export async function pulledBy<T>(inlet: Inlet<T>, update: Update): Promise<T[]> {
  const pulled: unknown = await inlet.pull(update, inlet.memoryCursor)
  if (typeof pulled !== 'object' || pulled === null || !(Symbol.asyncIterator in pulled)) return [pulled].flat() as T[]
  const all: unknown[] = []
  for await (const list of pulled as AsyncIterable<unknown>) for (const one of [list].flat()) all.push(one)
  return all as T[]
}
