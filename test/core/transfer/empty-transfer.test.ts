/** Outlets are told of transfers that have no records for them, and only of those. */
import t from 'tap'
import type { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { LinkSettings } from '../../../src/core/link-options.js'
import { Outlet } from '../../../src/core/outlet.js'
import type { AnyGrouper, Processor } from '../../../src/core/processor.js'
import { captureLogs } from '../../helpers/logs.js'
import { FromInlet, giving, KeepOutlet } from '../../helpers/nodes.js'

/** Counts how often it is told. */
class CountOutlet extends Outlet {
  told = 0
  readonly #listen: () => void

  constructor(listen: () => void = () => undefined, processors: Processor[] = []) {
    super({ processors })
    this.#listen = listen
  }

  push(): void {
    // takes all
  }

  override onEmptyTransfer(): void {
    this.told++
    this.#listen()
  }
}

const fails = (): never => {
  throw new Error('no')
}

interface Parts extends LinkSettings {
  readonly groupers?: AnyGrouper
  readonly processors?: Processor[]
}

async function transfer(inlets: Inlet, outlets: Outlet[], { groupers, processors, ...settings }: Parts = {}) {
  const link = new Link({
    inlets,
    outlets,
    interval: 1,
    ignoreExceptions: true,
    processors,
    groupers,
    ...settings,
  } as never)
  return link.transfer()
}

t.beforeEach((t) => {
  captureLogs(t, 'silent')
})

t.test('an outlet is told when inlets gave nothing, or processors removed all', async (t) => {
  const outlet = new CountOutlet()
  await transfer(giving(), [outlet])
  await transfer(giving(1), [outlet], { processors: [() => []] })
  await transfer(giving(1), [outlet])
  t.equal(outlet.told, 2)
  const own = new CountOutlet(undefined, [() => []])
  await transfer(giving(1), [own])
  t.equal(own.told, 1)
})

t.test('an outlet is not told when records were dropped', async (t) => {
  const outlet = new CountOutlet()
  const report = await transfer(giving(1), [outlet], { groupers: () => [] })
  t.match(report, { dropped: 1, errors: [] })
  await transfer(giving(1), [outlet], { groupers: fails })
  await transfer(new FromInlet(fails), [outlet])
  t.equal(outlet.told, 0)
})

t.test('an outlet is not told when records are gone from its buffer, or its processor fails', async (t) => {
  const pages = { size: 1, process: () => [] }
  const outlet = new CountOutlet(undefined, [pages])
  const link = new Link({ inlets: giving(), outlets: outlet, interval: 1 })
  await link.transfer()
  pages.size = 0
  t.match(await link.transfer(), { outlets: [{ dropped: 1 }] })
  t.equal(outlet.told, 0)
  await link.transfer()
  t.equal(outlet.told, 1)
  const failing = new CountOutlet(undefined, [fails])
  await transfer(giving(), [failing])
  t.equal(failing.told, 0)
})

t.test('what fails at one outlet keeps no other from being told', async (t) => {
  const outlets = [new CountOutlet(fails), new CountOutlet(fails), new CountOutlet()]
  const report = await transfer(giving(), [...outlets, new KeepOutlet(undefined, { processors: fails })])
  t.same(
    outlets.map(({ told }) => told),
    [1, 1, 1],
  )
  t.equal(report.errors.length, 3)
})
