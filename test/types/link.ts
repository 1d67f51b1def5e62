/*
 * Cases of links that must compile, or must not. Each comment says what its case shows; a case that must not compile
 * follows a `@ts-expect-error`, which is an error itself when the case compiles. Run by `tsc -p test` and by
 * test/types.test.ts.
 */
import {
  Buffer,
  Distinct,
  Inlet,
  Link,
  Outlet,
  Record,
  type Grouper,
  type MetadataKey,
  type PlannedLink,
  type Processor,
  type StatefulProcessor,
  type TransferReport,
  type Update,
} from '../../src/index.js'

class NumIn extends Inlet<number> {
  pull() {
    return 1
  }
}
class StrIn extends Inlet<string> {
  async pull() {
    return ['a', this.newRecord('b')]
  }
}
class AnyIn extends Inlet {
  pull() {
    return { a: 1 }
  }
}
class NumOut extends Outlet<number> {
  push(_records: Record<number>[]) {}
}
class StrOut extends Outlet<string> {
  async push(_records: Record<string>[], _update: Update) {}
}
class AnyOut extends Outlet {
  push(_records: Record[]) {}
}

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  readonly bark: 1
}
class AnimalIn extends Inlet<Animal> {
  pull() {
    return { name: 'a' }
  }
}
class DogIn extends Inlet<Dog> {
  pull(): Dog {
    return { name: 'a', bark: 1 }
  }
}
class AnimalOut extends Outlet<Animal> {
  push(_records: Record<Animal>[]) {}
}
class DogOut extends Outlet<Dog> {
  push(_records: Record<Dog>[]) {}
}

const interval = 1
const [numIn, strIn, anyIn, animalIn, dogIn] = [new NumIn(), new StrIn(), new AnyIn(), new AnimalIn(), new DogIn()]
const [numOut, strOut, anyOut] = [new NumOut(), new StrOut(), new AnyOut()]
const [animalOut, dogOut] = [new AnimalOut(), new DogOut()]
const numToStr: Processor<number, string> = (rs) => rs.map((r) => r.with({ payload: String(r.payload) }))
const strToNum: Processor<string, number> = async (rs) => rs.map((r) => r.with({ payload: r.payload.length }))
const same = <T>(rs: Record<T>[]) => rs
const nums: Processor<number>[] = []
const [toStr, toNum] = [numToStr, strToNum]

// --- from inlets to outlets

// numbers to an outlet of numbers; the link knows what it carries
export const straight: Link<number> = new Link({ inlets: numIn, outlets: numOut, interval })
// an outlet of anything takes anything, beside a typed one
export const beside = new Link({ inlets: [numIn], outlets: [anyOut, numOut], interval })
// an asynchronous inlet of values and records
export const async = new Link({ inlets: strIn, outlets: strOut, interval })
// without types everything fits what is as untyped
export const untyped: Link = new Link({ inlets: anyIn, outlets: anyOut, interval })
// a link without nodes, to be added later
export const empty = new Link({ inlets: [], outlets: [], interval })
// an outlet of animals takes dogs
export const upwards = new Link({ inlets: dogIn, outlets: animalOut, interval })

// @ts-expect-error numbers do not go to an outlet of strings
export const wrongOutlet = new Link({ inlets: numIn, outlets: strOut, interval })
// @ts-expect-error nor when another outlet would take them
export const oneWrongOutlet = new Link({ inlets: numIn, outlets: [numOut, strOut], interval })
// @ts-expect-error one of two inlets gives strings
export const oneWrongInlet = new Link({ inlets: [numIn, strIn], outlets: numOut, interval })
// @ts-expect-error an inlet of anything may give no numbers
export const anyToNum = new Link({ inlets: anyIn, outlets: numOut, interval })
// @ts-expect-error not every animal is a dog
export const downwards = new Link({ inlets: animalIn, outlets: dogOut, interval })
// @ts-expect-error an outlet is no inlet
export const swapped = new Link({ inlets: numOut, outlets: numIn, interval })
// @ts-expect-error a link has inlets
export const noInlets = new Link({ outlets: numOut, interval })
// @ts-expect-error an option that does not exist
export const misspelt = new Link({ inlets: numIn, outlets: numOut, intervall: 1 })
// @ts-expect-error a link is due every interval or by a cron expression
export const never = new Link({ inlets: numIn, outlets: numOut })
// @ts-expect-error not both
export const both = new Link({ inlets: numIn, outlets: numOut, interval, cron: '* * * * *' })
// @ts-expect-error a time zone is one of a cron expression
export const zone = new Link({ inlets: numIn, outlets: numOut, interval, timeZone: 'Europe/Paris' })
// @ts-expect-error a cron expression is on the clock by itself
export const aligned = new Link({ inlets: numIn, outlets: numOut, cron: '* * * * *', alignToClock: true })
export const cron = new Link({ inlets: numIn, outlets: numOut, cron: '* * * * *', timeZone: 'Europe/Paris' })
// @ts-expect-error a duration is not a text
export const textInterval = new Link({ inlets: numIn, outlets: numOut, interval: '5s' })

// --- through processors

// one processor changes the type
export const one: Link<number, string> = new Link({ inlets: numIn, outlets: strOut, processors: toStr, interval })
// a list of one does too
export const listOfOne = new Link({ inlets: numIn, outlets: strOut, processors: [toStr], interval })
// two, three and four are followed, asynchronous ones too
export const two = new Link({ inlets: numIn, outlets: numOut, processors: [toStr, toNum], interval })
export const three = new Link({ inlets: numIn, outlets: strOut, processors: [toStr, toNum, toStr], interval })
export const four = new Link({ inlets: numIn, outlets: numOut, processors: [toStr, toNum, toStr, toNum], interval })
// a list of unknown length keeps the type
export const anyLength = new Link({ inlets: numIn, outlets: numOut, processors: nums, interval })
// more than four keep the type, buffers among them
const inc: Processor<number> = (rs) => rs.map((r) => r.with({ payload: r.payload + 1 }))
const fiveSteps = [inc, inc, new Buffer(), inc, inc]
export const five = new Link({ inlets: numIn, outlets: numOut, processors: fiveSteps, interval })
export const fiveInline = new Link({
  inlets: numIn,
  outlets: numOut,
  processors: [inc, inc, new Buffer(), inc, inc],
  interval,
})
export const fiveSame = new Link({ inlets: numIn, outlets: numOut, processors: [inc, inc, same, inc, inc], interval })
// what an inline function gets is known without a word
export const inline = new Link({
  inlets: numIn,
  outlets: numOut,
  processors: (records) => records.filter((record) => record.payload > 1),
  interval,
})
// also as the first of several, and what a grouper gets after them
export const inlineFirst = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: [(records) => records.filter((record) => record.payload > 1), toStr],
  groupers: (batches) => batches.map((batch) => [...batch].sort((a, b) => a.payload.length - b.payload.length)),
  interval,
})
// a processor of animals may work on dogs, for an outlet of animals
const anyAnimal: Processor<Animal> = (rs) => rs.filter((r) => r.payload.name !== '')
export const general = new Link({ inlets: dogIn, outlets: animalOut, processors: anyAnimal, interval })
// a class with a memory changes the type as a function does
class Counter implements StatefulProcessor<string, number> {
  process(records: Record<string>[]) {
    return [new Record(records.length)]
  }
}
export const stateful = new Link({ inlets: strIn, outlets: numOut, processors: new Counter(), interval })

// @ts-expect-error the processor takes numbers
export const wrongInput = new Link({ inlets: strIn, outlets: strOut, processors: toStr, interval })
// @ts-expect-error the processor gives strings
export const wrongOutput = new Link({ inlets: numIn, outlets: numOut, processors: [toStr], interval })
// @ts-expect-error the second takes what the first does not give
export const wrongChain = new Link({ inlets: numIn, outlets: strOut, processors: [toStr, toStr], interval })
// @ts-expect-error the third takes what the second does not give
export const wrongThird = new Link({ inlets: numIn, outlets: strOut, processors: [toStr, toNum, toNum], interval })
const fourSteps = [toStr, toNum, toStr, toNum] as const
// @ts-expect-error the fourth gives what the outlet does not take
export const wrongFour = new Link({ inlets: numIn, outlets: strOut, processors: fourSteps, interval })
// @ts-expect-error after the processor, one of the outlets takes numbers
export const wrongOne = new Link({ inlets: numIn, outlets: [strOut, numOut], processors: [toStr, same], interval })
// @ts-expect-error what was a dog is only an animal after the processor
export const lost = new Link({ inlets: dogIn, outlets: dogOut, processors: anyAnimal, interval })
// @ts-expect-error a processor gives records, not payloads
export const bare = new Link({ inlets: numIn, outlets: anyOut, processors: (rs) => rs.map((r) => r.payload), interval })
// @ts-expect-error a processor that forgets to return
export const forgets = new Link({ inlets: numIn, outlets: anyOut, processors: () => {}, interval })
// @ts-expect-error the class takes strings
export const wrongClass = new Link({ inlets: numIn, outlets: numOut, processors: new Counter(), interval })

// --- through buffers

// a buffer keeps the type, alone, before and after others
const buffer = new Buffer({ countThreshold: 1 })
export const buffered = new Link({ inlets: numIn, outlets: numOut, processors: buffer, interval })
export const before = new Link({ inlets: numIn, outlets: strOut, processors: [new Buffer(), toStr], interval })
export const after = new Link({ inlets: numIn, outlets: strOut, processors: [toStr, new Buffer()], interval })
// a typed buffer gives its controllers what passes
const big = new Buffer<number>({ customControllers: (records) => records.some((record) => record.payload > 1) })
export const controlled = new Link({ inlets: numIn, outlets: numOut, processors: big, interval })

// so does what takes out duplicates
const once = new Distinct({ by: 'id' })
export const distinct = new Link({ inlets: numIn, outlets: strOut, processors: [once, toStr, once], interval })
const byValue = new Distinct<number>({ by: (value) => value % 10, aliases: (value) => [value] })
export const typedDistinct = new Link({ inlets: numIn, outlets: numOut, processors: byValue, interval })
// @ts-expect-error its functions look at numbers
export const wrongDistinct = new Link({ inlets: strIn, outlets: strOut, processors: byValue, interval })
// @ts-expect-error what may be missing is no key
export const noKey = new Distinct<{ readonly id?: string }>({ by: ({ id }) => id })

// a function after what keeps the type knows what it gets, wherever that stands
export const afterBuffer = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: [toStr, new Buffer(), (records) => records.filter((record) => record.payload.length > 1)],
  interval,
})
export const afterDistinct = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: [once, toStr, new Distinct({ by: 'id' }), (records) => records.filter(({ payload }) => payload !== '')],
  groupers: (batches) => batches.map((batch) => batch.filter(({ payload }) => payload.length > 1)),
  interval,
})
// so does a function that changes the type
export const changesAfter: Link<number, string> = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: [buffer, (records) => records.map((record) => record.with({ payload: record.payload.toFixed() }))],
  interval,
})
export const sevenKept: Link<number> = new Link({
  inlets: numIn,
  outlets: numOut,
  processors: [buffer, once, buffer, big, (records) => records.filter(({ payload }) => payload > 1), buffer, buffer],
  interval,
})
export const wrongAfterBuffer = new Link({
  inlets: numIn,
  outlets: strOut,
  // @ts-expect-error a text is no number
  processors: [toStr, new Buffer(), (records) => records.filter((record) => record.payload > 1)],
  interval,
})
// @ts-expect-error nor does a buffer in between hide that the outlet takes no numbers
export const throughBuffer = new Link({ inlets: numIn, outlets: strOut, processors: [inc, buffer, once], interval })
// @ts-expect-error nor that nothing is known of the payloads
export const unknownThrough = new Link({ inlets: anyIn, outlets: numOut, processors: [buffer], interval })

// @ts-expect-error the controllers of the buffer look at numbers
export const wrongBuffer = new Link({ inlets: strIn, outlets: strOut, processors: big, interval })
// @ts-expect-error a buffer does not make strings of numbers
export const noMagic = new Link({ inlets: numIn, outlets: strOut, processors: new Buffer(), interval })
// @ts-expect-error a controller says whether, not how many
export const wrongController = new Buffer({ customControllers: (records) => records.length })

// --- through groupers

// a grouper of anything, and one of what comes out of the processors
const anyGrouper: Grouper = (batches) => batches
const strGrouper: Grouper<string> = async (batches) => batches.filter((batch) => batch[0]?.payload !== '')
export const groups = new Link({ inlets: numIn, outlets: numOut, groupers: (batches) => batches.flat(0), interval })
export const grouped = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: toStr,
  groupers: [strGrouper, strGrouper],
  interval,
})
export const groupsAny = new Link({ inlets: anyIn, outlets: anyOut, groupers: [anyGrouper], interval })

// @ts-expect-error the grouper looks at strings
export const wrongGrouper = new Link({ inlets: numIn, outlets: numOut, groupers: strGrouper, interval })
// @ts-expect-error a grouper gives batches, not records
export const flat = new Link({ inlets: numIn, outlets: numOut, groupers: (batches) => batches.flat(), interval })

// --- changing a link

// inlets give what the link takes, outlets take what the link gives
export const more = [one.addInlets(new NumIn()), one.addOutlets([new StrOut()]), two.removeInlets(numIn)]
// @ts-expect-error the link takes numbers
void one.addInlets(new StrIn())
// @ts-expect-error the link gives strings
void one.addOutlets(new NumOut())
// @ts-expect-error the settings of a link do not change
one.settings.tags = []
// @ts-expect-error nor do its tags
one.tags[0] = 'a'

// a planner takes links of all kinds
export const planned: PlannedLink[] = [straight, one, stateful, general]
export const reports: Promise<TransferReport>[] = planned.map((link) => link.transfer())

// --- nodes

// an inlet may give a value, a record, a list of both, and a promise of those
export class Mixed extends Inlet<number> {
  override async pull(update: Update) {
    update.signal.throwIfAborted()
    return update.transferNumber > 0 ? [1, this.newRecord(2, { key: 'x' })] : 3
  }
}
// a list of lists is records that hold lists
export class Lists extends Inlet<number[]> {
  pull() {
    return [[1, 2]]
  }
}
export class WrongInlet extends Inlet<number> {
  // @ts-expect-error the inlet gives numbers
  pull() {
    return 'a'
  }
}
export class ForgetsToReturn extends Inlet<number> {
  // @ts-expect-error nothing is no number
  pull() {}
}
export class WrongRecord extends Inlet<number> {
  pull() {
    // @ts-expect-error the records of the inlet hold numbers
    return this.newRecord('a')
  }
}
export class ReturnsSomething extends Outlet<number> {
  // @ts-expect-error push gives nothing back
  push() {
    return 5
  }
}
// @ts-expect-error an inlet has to pull
export class NoPull extends Inlet<number> {}
// @ts-expect-error an outlet has to push
export class NoPush extends Outlet<number> {}

// processors of an outlet keep the type it takes
export class Picky extends Outlet<number> {
  constructor() {
    super({ processors: [(records) => records.filter((record) => record.payload > 1), new Buffer()] })
  }
  push() {}
}
export class WrongProcessors extends Outlet<number> {
  constructor() {
    // @ts-expect-error the outlet takes numbers
    super({ processors: numToStr })
  }
  push() {}
}

// metadata keys carry the name of their outlet
export const key: MetadataKey = 'CsvOutlet.CSV_FILE'
// @ts-expect-error whose key is it?
export const bareKey: MetadataKey = 'CSV_FILE'

// --- records

// with() keeps the type of the payload, or takes the new one
const record = new Record(1, { key: 'x' })
export const kept: Record<number> = record.with({ metadata: { key: 'y' } })
export const changed: Record<string> = record.with({ payload: 'a' })
// what is in the metadata has to be looked at before it is used
export const value: unknown = record.metadata['key']
// @ts-expect-error the payload does not change
record.payload = 2
// @ts-expect-error nor does the metadata
record.metadata['key'] = 'y'
// @ts-expect-error a record of strings is none of numbers
export const wrongRecord: Record<number> = record.with({ payload: 'a' })
