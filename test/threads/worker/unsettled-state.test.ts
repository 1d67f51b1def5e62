/** What came of transfers is told in the thread to which their link has moved. */
import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { Update } from '../../../src/core/update.js'
import { takeOverUnsettled, unsettledOf } from '../../../src/threads/worker/unsettled-state.js'
import { captureLogs } from '../../helpers/logs.js'
import { KeepOutlet } from '../../helpers/nodes.js'

class ToldInlet extends Inlet {
  readonly told: [number, boolean][] = []

  pull(): unknown[] {
    return ['a']
  }

  override onTransferEnd({ transferNumber }: Update, delivered: boolean): void {
    this.told.push([transferNumber, delivered])
  }
}

class FailingInlet extends ToldInlet {
  override pull(): never {
    throw new Error('down')
  }
}

function make() {
  const [good, bad, buffer] = [new ToldInlet(), new FailingInlet(), new Buffer({ countThreshold: 100 })]
  const link = new Link({
    inlets: [good, bad],
    outlets: new KeepOutlet(),
    processors: buffer,
    interval: 1,
    ignoreExceptions: true,
  })
  return { good, bad, buffer, link }
}

/** The same link as it comes to another thread. */
function move(from: ReturnType<typeof make>, withRecords = true) {
  const to = make()
  const unsettled = unsettledOf(from.link)
  if (withRecords) to.buffer.restoreState(structuredClone(from.buffer.saveState()))
  if (unsettled !== undefined) takeOverUnsettled(to.link, structuredClone(unsettled))
  return to
}

t.test('a pull that failed is told so, and the others are delivered', async (t) => {
  captureLogs(t, 'silent')
  const from = make()
  await from.link.transfer()
  const { link, good, bad } = move(from)
  await link.drain()
  t.same([good.told, bad.told], [[[0, true]], [[0, false]]])
})

t.test('a transfer that has failed on the way has failed after the next move too', async (t) => {
  captureLogs(t, 'silent')
  const from = make()
  await from.link.transfer()
  const { link, good } = move(move(from, false))
  await link.begin({ drain: true })
  await link.begin({ transferNumber: 5 })
  t.same(good.told, [[0, false]])
})
