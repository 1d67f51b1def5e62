import { Link } from '../../src/link.js'
import { Inlet } from '../../src/inlet.js'
import { Outlet } from '../../src/outlet.js'
import { Buffer } from '../../src/buffer.js'
import type { Record } from '../../src/record.js'
import type { Processor } from '../../src/processor.js'
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
  push(_r: Record<number>[]) {}
}
class StrOut extends Outlet<string> {
  push(_r: Record<string>[]) {}
}
class AnyOut extends Outlet {
  push(_r: Record[]) {}
}
const toS: Processor<number, string> = (rs) => rs.map((r) => r.with({ payload: String(r.payload) }))
const interval = 1
export const a: Link<number> = new Link({ inlets: new NumIn(), outlets: new NumOut(), interval })
export const b = new Link({
  inlets: [new NumIn()],
  outlets: [new AnyOut(), new StrOut()],
  processors: toS,
  interval,
})
export const c = new Link({
  inlets: new NumIn(),
  outlets: new StrOut(),
  processors: [toS, new Buffer({ countThreshold: 1 })],
  interval,
})
export const d = new Link({
  inlets: new NumIn(),
  outlets: new StrOut(),
  processors: [new Buffer(), toS],
  interval,
})
export const d1 = new Link({ inlets: new NumIn(), outlets: new NumOut(), processors: new Buffer(), interval })
export const d2 = new Link({
  inlets: new NumIn(),
  outlets: new AnyOut(),
  processors: new Buffer<number>({ customControllers: (rs) => rs.some((r) => r.payload > 1) }),
  interval,
})
export const e = new Link({
  inlets: new NumIn(),
  outlets: new NumOut(),
  processors: (rs) => rs.filter((r) => r.payload > 1),
  interval,
})
export const f = new Link({
  inlets: new NumIn(),
  outlets: new StrOut(),
  processors: [(rs) => rs.filter((r) => r.payload > 1), toS],
  groupers: (bs) => bs.map((x) => x.filter((r) => r.payload.length > 1)),
  interval,
})
export const g = new Link({
  inlets: [new AnyIn(), new NumIn()],
  outlets: [new AnyOut()],
  processors: [(rs) => rs],
  interval,
})
export const h = new Link({ inlets: [new StrIn()], outlets: [new AnyOut()], interval })
const list: Processor<number>[] = []
export const i = new Link({ inlets: [new NumIn()], outlets: [new NumOut()], processors: list, interval })
export const i2 = new Link({ inlets: [], outlets: [], interval })
// @ts-expect-error numbers to a string outlet
export const j = new Link({ inlets: new NumIn(), outlets: new StrOut(), interval })
// @ts-expect-error
export const k = new Link({ inlets: new StrIn(), outlets: new StrOut(), processors: toS, interval })
// @ts-expect-error
export const l = new Link({ inlets: new NumIn(), outlets: new NumOut(), processors: [toS], interval })
// @ts-expect-error
export const m = new Link({
  inlets: new NumIn(),
  outlets: [new StrOut(), new NumOut()],
  processors: [toS, new Buffer()],
  interval,
})
// @ts-expect-error
export const n = new Link({ inlets: [new NumIn(), new StrIn()], outlets: new NumOut(), interval })
// @ts-expect-error
export const o = new Link({ inlets: new AnyIn(), outlets: new NumOut(), interval })
interface Animal {
  name: string
}
interface Dog extends Animal {
  bark: 1
}
class AnimalIn extends Inlet<Animal> {
  pull() {
    return { name: 'a' }
  }
}
class DogIn extends Inlet<Dog> {
  pull() {
    return { name: 'a', bark: 1 as const }
  }
}
class AnimalOut extends Outlet<Animal> {
  push(_r: Record<Animal>[]) {}
}
class DogOut extends Outlet<Dog> {
  push(_r: Record<Dog>[]) {}
}
export const p = new Link({ inlets: new DogIn(), outlets: new AnimalOut(), interval })
// @ts-expect-error
export const q = new Link({ inlets: new AnimalIn(), outlets: new DogOut(), interval })
// @ts-expect-error
export class Bad extends Inlet<number> {
  pull() {}
}
export class Ok extends Inlet<number[]> {
  pull() {
    return [[1, 2]]
  }
}
// @ts-expect-error
void b.addInlets(new StrIn())
void b.addInlets(new NumIn())
void c.addOutlets(new StrOut())
