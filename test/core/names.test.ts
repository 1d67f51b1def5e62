/** The option `name` of inlets, outlets and processors is what they are called in reports, logs and errors. */
import t from 'tap'
import { CsvInlet } from '../../src/connectors/csv/csv-inlet.js'
import { CsvOutlet } from '../../src/connectors/csv/csv-outlet.js'
import { FileInlet } from '../../src/connectors/files/file-inlet.js'
import { FileOutlet } from '../../src/connectors/files/file-outlet.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { MongoInlet } from '../../src/connectors/mongodb/mongo-inlet.js'
import { MongoOutlet } from '../../src/connectors/mongodb/mongo-outlet.js'
import { PrintOutlet } from '../../src/connectors/print/print-outlet.js'
import { NullInlet } from '../../src/connectors/samples/null-inlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { RandomIntInlet } from '../../src/connectors/samples/random-int-inlet.js'
import { Buffer } from '../../src/core/buffer.js'
import { Distinct } from '../../src/core/distinct.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { nodeName } from '../../src/core/node.js'
import { Outlet, type OutletOptions } from '../../src/core/outlet.js'
import { nameOf } from '../../src/core/processor.js'
import type { Record } from '../../src/core/record.js'
import { captureLogs } from '../helpers/logs.js'

class Numbers extends Inlet<number> {
  pull() {
    return [1, 2]
  }
}

class Picky extends Outlet {
  readonly #refuses: boolean
  readonly got: Record[] = []

  constructor(refuses: boolean, options?: OutletOptions) {
    super(options)
    this.#refuses = refuses
  }

  push(records: Record[]) {
    if (this.#refuses) throw new Error('no')
    this.got.push(...records)
  }
}

t.test('two outlets of one class are told apart in a report and in the log', async (t) => {
  const logs = captureLogs(t)
  const taking = new Picky(false, { name: 'archive' })
  const link = new Link({
    inlets: new Numbers({ name: 'orders' }),
    outlets: [taking, new Picky(true, { name: 'billing' }), new Picky(true)],
    interval: 1,
    ignoreExceptions: true,
  })
  await link.onStart()
  const report = await link.transfer()
  await link.onShutdown()
  t.match(report, {
    outlets: [
      { outlet: 'archive', pushed: 2 },
      { outlet: 'billing', dropped: 2 },
      { outlet: 'Picky', dropped: 2 },
    ],
    errors: [{ node: 'billing' }, { node: 'Picky' }],
  })
  t.match(logs.messages().join('\n'), /billing failed to push/)
  t.equal(taking.got[0]?.metadata['__inlet__'], 'orders')
  t.match(String(link), /inlets:\[orders\], outlets:\[archive, billing, Picky\]/)
})

t.test('a processor with a name is called so when it fails', async (t) => {
  captureLogs(t, 'silent')
  const distinct = new Distinct({ by: 'id', name: 'by id' })
  const link = new Link({ inlets: new Numbers(), outlets: new NullOutlet(), processors: distinct, interval: 1 })
  await link.onStart()
  t.match(await link.transfer(), { errors: [{ node: 'processor by id', stage: 'process' }] })
  await link.onShutdown()
  t.equal(nameOf('processor', new Buffer({ name: 'hourly' }), 0), 'processor hourly')
  t.equal(nameOf('processor', { name: 'mine', process: () => [] }, 0), 'processor mine')
  t.equal(nameOf('processor', { name: 5, process: () => [] }, 0), 'processor 0')
})

t.test('every inlet and outlet takes a name', async (t) => {
  const name = 'mine'
  const nodes = [
    new CsvInlet('x', { name }),
    new CsvOutlet('x', { name }),
    new FileInlet('x', { name }),
    new FileOutlet('x', { name }),
    new HttpInlet('http://x', { name }),
    new MongoInlet({ database: 'd', collection: 'c', name }),
    new MongoOutlet({ name }),
    new PrintOutlet({ name }),
    new NullInlet({ name }),
    new NullOutlet({ name }),
    new RandomIntInlet(0, 1, { name }),
  ]
  for (const node of nodes) t.equal(nodeName(node), 'mine', node.constructor.name)
  t.equal(nodeName(new FileOutlet('x')), 'FileOutlet(x)')
})

t.test('a class with a field called name is not called by it', async (t) => {
  class Table extends Outlet {
    readonly name = 'orders'
    push() {}
  }
  t.equal(nodeName(new Table()), 'Table')
})

t.test('a name that is no text on one line is refused', async (t) => {
  for (const name of ['', ' a', 'two\nlines', 5, 'x'.repeat(201)] as string[]) {
    const wrong = { code: 'DATABAY_INVALID_OPTION', message: /name: expected a string of 1 to 200 characters, without/ }
    t.throws(() => new Numbers({ name }), wrong)
    t.throws(() => new Picky(false, { name }), wrong)
    t.throws(() => new FileOutlet('x', { name }), { ...wrong, option: 'FileOutlet.name' })
    t.throws(() => new Buffer({ name }), wrong)
    t.throws(() => new Distinct({ by: 'id', name }), wrong)
  }
})
