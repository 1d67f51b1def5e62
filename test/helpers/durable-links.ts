import { join } from 'node:path'
import type { Test } from 'tap'
import type { Cursor } from '../../src/core/cursor.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { Outlet } from '../../src/core/outlet.js'
import { InvalidPayloadError } from '../../src/core/partial-push.js'
import type { Record } from '../../src/core/record.js'
import type { Update } from '../../src/core/update.js'
import { DurableLinks } from '../../src/delivery/durable-links.js'
import { DeadLetters } from '../../src/store/dead-letters.js'
import { ownStore } from '../../src/store/store.js'
import { captureLogs } from './logs.js'

/** Gives lists, each once, as its cursor says. */
export class Lists extends Inlet<unknown, number> {
  readonly #lists: readonly (readonly unknown[])[]

  constructor(...lists: (readonly unknown[])[]) {
    super()
    this.#lists = lists
  }

  pull(_update: Update, cursor: Cursor<number>) {
    const at = cursor.value ?? 0
    const list = this.#lists[at]
    if (list !== undefined) cursor.advance(at + 1)
    return [...(list ?? [])]
  }
}

/** Takes what it may, and notes its pushes. */
export class Target extends Outlet {
  readonly got: unknown[] = []
  readonly updates: Update[] = []
  /** Does something else instead of taking a batch. */
  instead: (payloads: readonly unknown[]) => void = () => undefined

  push(records: Record[], update: Update) {
    this.updates.push(update)
    const payloads = records.map(({ payload }) => payload)
    this.instead(payloads)
    this.got.push(...payloads)
  }
}

/** Keeps the payloads of a batch, unless it refuses one of them: then it keeps none. */
export class Kept extends Outlet {
  readonly got: unknown[] = []
  readonly #refuses: (payload: unknown) => boolean

  constructor(refuses: (payload: unknown) => boolean = () => false) {
    super()
    this.#refuses = refuses
  }

  push(records: Record[]) {
    for (const { payload } of records) if (this.#refuses(payload)) throw new Error(`no ${String(payload)}`)
    for (const { payload } of records) this.got.push(payload)
  }
}

/** Refuses a batch with a payload like `bad 1`. */
export const bad = (payloads: readonly unknown[]) => {
  if (payloads.some((one) => String(one).startsWith('bad'))) throw new InvalidPayloadError('it is bad')
}

/** Fails as an outlet that is down. */
export const down = () => {
  throw Object.assign(new Error('it is down'), { code: 'ECONNREFUSED' })
}

/** A store of a test, and what opens links in it as a planner does. */
export async function setUp(t: Test) {
  captureLogs(t)
  const { store, release } = await ownStore(join(t.testdir(), 'store'))
  t.teardown(release)
  const letters = new DeadLetters(store.database)
  const open = async (inlets: Inlet, outlets: Outlet | Outlet[], more: object = {}) => {
    const link = new Link({ id: 'a', delivery: 'cursor', interval: 3600, inlets, outlets, ...more } as never)
    await new DurableLinks(store).open(link, [])
    await link.onStart()
    return link
  }
  const replay = () =>
    store.write(() =>
      letters.setReplay(
        letters.list({ limit: 10_000 }).map(({ id }) => id),
        true,
      ),
    )
  return { store, letters, open, replay }
}
