import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link, type LinkOptions, type TransferSettings } from '../../../src/index.js'
import { Outlet } from '../../../src/core/outlet.js'
import { shutdownAtExit } from '../../../src/planners/at-exit.js'
import { SchedulePlanner } from '../../../src/planners/schedule-planner.js'
import { PrintOutlet } from '../../../src/connectors/print/print-outlet.js'
import { pack } from '../../../src/threads/protocol/records.js'
import { Record } from '../../../src/core/record.js'
import { captureLogs } from '../../helpers/logs.js'

class Secret {
  #code = 1
  code() {
    return this.#code
  }
}
class Given extends Inlet {
  readonly #payload: unknown
  constructor(payload: unknown) {
    super()
    this.#payload = payload
  }
  pull() {
    return [this.newRecord({ fine: 1 }), this.newRecord(this.#payload)]
  }
}
class Kept extends Outlet {
  readonly payloads: unknown[] = []
  push(records: Record[]) {
    for (const { payload } of records) this.payloads.push(payload)
  }
}

const transfer = async (options: TransferSettings & Partial<Pick<LinkOptions, 'outlets'>>, payload: unknown) =>
  new Link({
    inlets: new Given(payload),
    outlets: new Kept(),
    interval: 1,
    ignoreExceptions: true,
    ...options,
  }).transfer()

t.test('what cannot be copied is named, with the copy, and the outlet is not blamed', async (t) => {
  captureLogs(t)
  const cases: [payload: unknown, where: RegExp][] = [
    [
      { link: new URL('http://a.b') },
      /record 1 of Given cannot be copied .*: payload\.link is a URL, .*copyRecords: false/,
    ],
    [{ list: [{ secret: new Secret() }] }, /: payload\.list\[0]\.secret is a Secret,/],
    [new Map([['a', new Headers()]]), /: payload\[0] is a Headers,/],
    [{ at: new Date(), reference: new WeakRef({}) }, /: payload\.reference is a WeakRef,/],
  ]
  for (const [payload, message] of cases) {
    const { errors, outlets } = await transfer({ outlets: new Kept() }, payload)
    t.match(errors, [{ node: 'records', stage: 'copy', code: 'DATABAY_UNCLONEABLE_RECORD', message }])
    t.match(outlets, [{ outlet: 'Kept', pushed: 0, dropped: 2 }])
  }
  const kept = new Kept()
  const payload = { link: new URL('http://a.b') }
  t.strictSame((await transfer({ outlets: kept, copyRecords: false }, payload)).errors, [])
  t.equal(kept.payloads[1], payload)
  const work = () => 1
  t.strictSame(
    (await transfer({ outlets: kept }, { at: new Date(0), work, map: new Map([[1, new Set([2])]]) })).errors,
    [],
  )
  t.same(kept.payloads[3], { at: new Date(0), work, map: new Map([[1, new Set([2])]]) })
})

t.test('a payload that cannot cross to a thread is named by its path', (t) => {
  const records = [new Record({ a: {} }), new Record({ a: [{ link: new URL('http://a.b') }] })]
  const message = /^record 1 cannot cross to a thread: payload\.a\[0]\.link is a URL, whose private fields/
  t.throws(() => pack(records), { code: 'DATABAY_UNCLONEABLE_RECORD', message })
  t.end()
})

t.test('a class in the place of an instance is named, and so is what to pass', (t) => {
  class NoPull extends Inlet {
    pull = undefined as never
  }
  class NoPush extends Outlet {
    push = undefined as never
  }
  class Score {
    process(records: Record[]) {
      return records
    }
  }
  const link = (options: object) => new Link({ inlets: new Given(1), outlets: new Kept(), interval: 1, ...options })
  const cases: [act: () => unknown, message: RegExp][] = [
    [() => link({ inlets: Given }), /^inlets\[0] is the class Given; pass an instance: new Given\(\)$/],
    [() => link({ outlets: [new Kept(), Kept] }), /^outlets\[1] is the class Kept; pass an instance: new Kept\(\)$/],
    [() => link({ inlets: new NoPull() }), /^inlets\[0]: NoPull has no method pull\(\)$/],
    [() => link({ outlets: new NoPush() }), /^outlets\[0]: NoPush has no method push\(\)$/],
    [() => link({ processors: [Score] }), /^processors\[0]: expected a function, .*: pass an instance: new Score\(\)$/],
    [() => link({ processors: Buffer }), /^processors\[0]: .*: pass an instance: new Buffer\(\)$/],
    [() => link({ groupers: Score }), /^groupers\[0]: .*: pass an instance: new Score\(\)$/],
    [() => new PrintOutlet({ processors: Score as never }), /^processors\[0]: .*: pass an instance: new Score\(\)$/],
    [() => new Buffer({ customControllers: Score as never }), /: pass an instance: new Score\(\)$/],
    [() => new SchedulePlanner(Score as never), /^links\[0]: .*: pass an instance: new Score\(\)$/],
    [() => shutdownAtExit(SchedulePlanner as never), /^planner: .*: pass an instance: new SchedulePlanner\(\)$/],
  ]
  for (const [act, message] of cases) t.throws(act, { message }, String(message))
  t.end()
})
