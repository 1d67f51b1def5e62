import t from 'tap'
import { Inlet, isInlet, type InletOptions } from '../../src/core/inlet.js'
import { isRecord, Record } from '../../src/core/record.js'
import { FromInlet, KeepOutlet } from '../helpers/nodes.js'

class Sensor extends Inlet<number> {
  readonly place: string

  constructor(place: string, options?: InletOptions) {
    super(options)
    this.place = place
  }

  pull() {
    return 1
  }

  override toString() {
    return `Sensor(${this.place})`
  }
}

t.test('a new record has the global metadata and says where it comes from', async (t) => {
  const record = new Sensor('roof', { metadata: { animal: 'cat' } }).newRecord(5)
  t.ok(isRecord(record))
  t.equal(record.payload, 5)
  t.strictSame(record.metadata, { animal: 'cat', __inlet__: 'Sensor(roof)' })
})

t.test('an inlet that shows nothing more is named by its class', async (t) => {
  t.equal(new FromInlet(() => 1).newRecord(1).metadata['__inlet__'], 'FromInlet')
})

t.test('local metadata overrides the global metadata', async (t) => {
  const inlet = new Sensor('roof', { metadata: { animal: 'cat', colour: 'red' } })
  const record = inlet.newRecord(5, { animal: 'parrot', size: 2 })
  t.strictSame(record.metadata, { animal: 'parrot', colour: 'red', size: 2, __inlet__: 'Sensor(roof)' })
  t.ok(Object.isFrozen(record.metadata))
  t.strictSame(inlet.newRecord(6).metadata['animal'], 'cat', 'for that record alone')
})

t.test('neither global nor local metadata can say that a record comes from elsewhere', async (t) => {
  const inlet = new Sensor('roof', { metadata: { __inlet__: 'other' } })
  t.equal(inlet.newRecord(1).metadata['__inlet__'], 'Sensor(roof)')
  t.equal(inlet.newRecord(1, { __inlet__: 'another' }).metadata['__inlet__'], 'Sensor(roof)')
})

t.test('records without local metadata share one frozen object', async (t) => {
  const inlet = new Sensor('roof', { metadata: { animal: 'cat' } })
  const { metadata } = inlet.newRecord(1)
  t.equal(inlet.newRecord(2).metadata, metadata)
  t.ok(Object.isFrozen(metadata))
})

t.test('the metadata that was given is copied', async (t) => {
  const metadata = { animal: 'cat' }
  const inlet = new Sensor('roof', { metadata })
  metadata.animal = 'dog'
  t.strictSame(inlet.metadata, { animal: 'cat' })
  t.ok(Object.isFrozen(inlet.metadata))
  t.notOk(Object.isFrozen(metadata))
})

t.test('options that are no object are refused', async (t) => {
  for (const options of [null, 5, 'x', []] as unknown as InletOptions[]) {
    t.throws(() => new Sensor('roof', options), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^options: expected an object, got /,
    })
  }
  for (const metadata of [null, 5, 'x', []] as unknown as NonNullable<InletOptions['metadata']>[]) {
    t.throws(() => new Sensor('roof', { metadata }), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^metadata: expected an object, got /,
    })
  }
})

t.test('isInlet knows inlets, also those of another copy of the package', async (t) => {
  t.ok(isInlet(new Sensor('roof')))
  t.equal(Reflect.get(new Sensor('roof'), Symbol.for('databay.Inlet')), true)
  t.ok(isInlet({ [Symbol.for('databay.Inlet')]: true }))
  for (const other of [null, undefined, {}, new KeepOutlet(), Sensor, new Record(1)]) t.notOk(isInlet(other))
})

t.test('an inlet whose toString() throws is named by its class, and its pulls go on', async (t) => {
  class Nameless extends Inlet<number> {
    pull() {
      return this.newRecord(1, { local: true })
    }
    override toString(): string {
      throw new Error('no name')
    }
  }
  t.same(new Nameless().pull().metadata, { local: true, __inlet__: 'Nameless' })
})
