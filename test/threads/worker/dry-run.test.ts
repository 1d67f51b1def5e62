import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Distinct } from '../../../src/core/distinct.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import { Outlet } from '../../../src/core/outlet.js'
import type { Update } from '../../../src/core/update.js'
import { DryRun } from '../../../src/threads/worker/dry-run.js'
import { giving, KeepOutlet } from '../../helpers/nodes.js'

class ToldInlet extends Inlet {
  readonly told: boolean[] = []

  pull() {
    return [1, 2]
  }

  override onTransferEnd(_update: Update, delivered: boolean) {
    this.told.push(delivered)
  }
}

class MovableOutlet extends Outlet {
  push(): void {
    throw new Error('it is not called')
  }

  override saveState() {
    return 'its own state'
  }

  override toString() {
    return 'MovableOutlet(here)'
  }
}

t.test('inlets are told that nothing was delivered, also those of several links', async (t) => {
  const inlet = new ToldInlet()
  const links = [1, 2].map(() => new Link({ inlets: inlet, outlets: new KeepOutlet(), interval: 1 }))
  const dryRun = new DryRun()
  for (const link of links) await dryRun.prepare(link)
  const [report] = await Promise.all(links.map((link) => link.transfer()))
  t.strictSame(inlet.told, [false, false])
  t.match(report, { pulled: 2, errors: [], outlets: [{ pushed: 2 }] })
})

t.test('processors are told that nothing was delivered, so that what comes again is no duplicate', async (t) => {
  const by = (payload: unknown) => payload as number
  const outlet = new KeepOutlet(undefined, { processors: [new Distinct({ by })] })
  const link = new Link({ inlets: giving(1, 2), outlets: outlet, processors: [new Distinct({ by })], interval: 1 })
  await new DryRun().prepare(link)
  for (let n = 0; n < 3; n++) t.match(await link.transfer(), { filtered: 0, outlets: [{ filtered: 0, pushed: 2 }] })
})

t.test('what takes the place of an outlet is called as it is, and can be moved when it could', async (t) => {
  const [movable, other] = [new MovableOutlet(), new KeepOutlet()]
  const link = new Link({ inlets: giving(1), outlets: [movable, other], interval: 1 })
  await new DryRun().prepare(link as unknown as Link)
  const [first, second] = link.outlets
  t.strictSame([String(first), String(second)], [String(movable), String(other)])
  t.ok(first?.saveState !== undefined)
  t.equal(first?.saveState?.(), undefined)
  t.equal(second?.saveState === undefined, other.saveState === undefined)
  const { outlets } = await link.transfer()
  t.match(outlets, [{ outlet: 'MovableOutlet(here)', pushed: 1 }, { pushed: 1 }])
  t.strictSame(link.outlets.includes(movable), false)
})

t.test('processors of an outlet do their work, and links that share an outlet share them still', async (t) => {
  const buffer = new Buffer({ countThreshold: 4 })
  const outlet = new KeepOutlet(undefined, { processors: buffer })
  const links = [1, 2].map(() => new Link({ inlets: giving(1, 2), outlets: outlet, interval: 1 }))
  const dryRun = new DryRun()
  for (const link of links) await dryRun.prepare(link as unknown as Link)
  t.equal(links[0]?.outlets[0], links[1]?.outlets[0])
  t.match(await links[0]?.transfer(), { outlets: [{ pushed: 0, buffered: 2 }] })
  t.match(await links[1]?.transfer(), { outlets: [{ pushed: 4, buffered: 0 }] })
  await dryRun.prepare(links[0] as unknown as Link)
  t.equal(links[0]?.outlets[0], links[1]?.outlets[0], 'a link that is prepared twice stays as it is')
})
