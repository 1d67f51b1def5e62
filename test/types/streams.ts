/*
 * Cases of inlets that stream: what compiles, and what must not. A case that must not compile follows a `@ts-expect-error`.
 */
import { Inlet, Link, Outlet, type PulledStream, type Record } from '../../src/index.js'

class NumOut extends Outlet<number> {
  push(_records: Record<number>[]) {}
}
class StrOut extends Outlet<string> {
  push(_records: Record<string>[]) {}
}
const interval = 1
const [numOut, strOut] = [new NumOut(), new StrOut()]

// --- what a pull that streams may yield

// lists, single values, records, and promises of those
export class Lists extends Inlet<number> {
  *pull() {
    yield [1, 2]
    yield 3
    yield this.newRecord(4)
    yield [this.newRecord(5), 6]
    yield []
    yield Promise.resolve([7])
  }
}
export class AsyncLists extends Inlet<number> {
  async *pull() {
    yield await Promise.resolve([1, 2])
    yield this.newRecord(3)
  }
}
// either a stream or a list
export class Either extends Inlet<number> {
  pull(): number[] | AsyncGenerator<number[], void> {
    return [1]
  }
}
export class Late extends Inlet<number> {
  async pull() {
    await Promise.resolve()
    return [[1], [2]].values()
  }
}
export class ByHand extends Inlet<number> {
  pull(): PulledStream<number> {
    return { next: () => ({ done: false, value: [1] }), return: () => undefined }
  }
}
export class Iterable extends Inlet<number> {
  pull() {
    return { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false as const, value: [1] }) }) }
  }
}
// a list that is one payload, as in a list of lists
export class Pairs extends Inlet<number[]> {
  *pull() {
    yield [[1, 2]]
  }
}

// --- wrong yields

export class WrongList extends Inlet<number> {
  // @ts-expect-error lists of texts
  *pull() {
    yield ['a']
  }
}
export class WrongValue extends Inlet<number> {
  // @ts-expect-error a text
  *pull() {
    yield [1]
    yield 'a'
  }
}
export class WrongAsync extends Inlet<number> {
  // @ts-expect-error a list of texts, later
  async *pull() {
    yield await Promise.resolve(['a'])
  }
}
export class WrongRecord extends Inlet<number> {
  *pull() {
    // @ts-expect-error a record of a text
    yield this.newRecord('a')
  }
}
export class Returns extends Inlet<number> {
  // @ts-expect-error what a generator returns would be lost
  *pull() {
    yield [1]
    return [2]
  }
}
export class WrongIterator extends Inlet<number> {
  // @ts-expect-error an iterator of texts
  pull() {
    return [['a']].values()
  }
}

// --- the payloads' type flows through a link

export const numbers: Link<number> = new Link({ inlets: new Lists(), outlets: numOut, interval })
export const later: Link<number> = new Link({ inlets: [new AsyncLists(), new Either()], outlets: numOut, interval })
export const texts: Link<number, string> = new Link({
  inlets: new AsyncLists(),
  processors: (records) => records.map((record) => record.with({ payload: record.payload.toFixed(1) })),
  outlets: strOut,
  interval,
})
// @ts-expect-error an outlet of texts takes no numbers
export const wrong = new Link({ inlets: new Lists(), outlets: strOut, interval })
// @ts-expect-error nor does one behind an asynchronous generator
export const wrongToo = new Link({ inlets: new AsyncLists(), outlets: strOut, interval })
