/** With `ignoreExceptions`, a link with delivery drops nothing, and inlets go by their names. */
import { join } from 'node:path'
import t from 'tap'
import type { Cursor } from '../../src/core/cursor.js'
import { Inlet, type InletOptions } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { Outlet } from '../../src/core/outlet.js'
import { InvalidPayloadError } from '../../src/core/partial-push.js'
import type { Record } from '../../src/core/record.js'
import type { TransferReport } from '../../src/core/report.js'
import type { Update } from '../../src/core/update.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { captureLogs } from '../helpers/logs.js'

/** Gives one text after the other: `a0`, `a1`, ... */
class Texts extends Inlet<string, number> {
  readonly #letter: string
  isDown = false

  constructor(letter: string, options?: InletOptions) {
    super(options)
    this.#letter = letter
  }

  pull(_update: Update, cursor: Cursor<number>) {
    if (this.isDown) throw new Error('the source is down')
    const at = cursor.value ?? 0
    cursor.advance(at + 1)
    return [`${this.#letter}${at}`]
  }
}

class Kept extends Outlet {
  readonly got: unknown[] = []
  fails: () => Error | undefined = () => undefined

  push(records: Record[]) {
    const error = this.fails()
    if (error !== undefined) throw error
    for (const { payload } of records) this.got.push(payload)
  }
}

const linkOf = (inlets: Inlet | Inlet[], outlets: Outlet) =>
  new Link({
    id: 'a',
    delivery: 'cursor',
    inlets,
    outlets,
    interval: 3600,
    immediateTransfer: false,
    ignoreExceptions: true,
    retry: { minDelay: 3600, maxDelay: 3600 },
  } as never) as Link

async function planned(store: string, link: Link) {
  const planner = new SchedulePlanner(link, { store })
  const reports: TransferReport[] = []
  planner.on('transfer', (report) => reports.push(report))
  await planner.start()
  const transfer = async () => {
    await planner.forceTransfer()
    return reports.at(-1)
  }
  return { transfer, planner }
}

t.test('ignoreExceptions drops nothing of a link with delivery', async (t) => {
  captureLogs(t, 'silent')
  const [inlet, other, outlet] = [new Texts('a'), new Texts('b'), new Kept()]
  const { planner, transfer } = await planned(join(t.testdir(), 'store'), linkOf([inlet, other], outlet))
  outlet.fails = () => new Error('whatever')
  t.match(await transfer(), {
    failed: false,
    outlets: [{ pushed: 0, dropped: 0, waiting: 2 }],
    blocked: { node: 'Kept' },
  })
  outlet.fails = () => undefined
  t.match(await transfer(), { failed: false, blocked: undefined })
  t.same(outlet.got.slice(0, 2), ['a0', 'b0'])
  const before = outlet.got.length
  other.isDown = true
  const failed = await transfer()
  t.match(failed, { failed: false, dropped: 0, errors: [{ stage: 'pull' }], blocked: { stage: 'pull' } })
  other.isDown = false
  await transfer()
  const later = outlet.got.slice(before).toSorted()
  t.equal(new Set(outlet.got).size, outlet.got.length, 'nothing twice')
  t.ok(later.length >= 2 && later.some((text) => String(text).startsWith('b')), 'nothing is missing')
  let refusals = 0
  outlet.fails = () => (refusals++ < 3 ? new InvalidPayloadError('no') : undefined)
  t.match(await transfer(), { failed: false, dropped: 0 })
  await planner.shutdown()
})

t.test('a named inlet has its cursor wherever it is in the list of its link', async (t) => {
  const store = join(t.testdir(), 'store')
  const run = async (inlets: Inlet[]) => {
    const outlet = new Kept()
    const { planner, transfer } = await planned(store, linkOf(inlets, outlet))
    await transfer()
    await planner.shutdown()
    return outlet.got
  }
  const named = (letter: string) => new Texts(letter, { name: letter })
  t.same(await run([named('a')]), ['a0'])
  t.same(await run([named('b'), named('a')]), ['b0', 'a1'])
  t.same(await run([named('a'), named('b')]), ['a2', 'b1'])
})
