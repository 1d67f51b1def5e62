/** Processors of a planner's pool: what compiles, and what must not. */
import {
  Inlet,
  Link,
  Outlet,
  Record,
  WorkerPlanner,
  type Processor,
  type ProcessorFunction,
  type Update,
} from '../../src/index.js'

class NumIn extends Inlet<number> {
  pull() {
    return 1
  }
}
class NumOut extends Outlet<number> {
  push(_records: Record<number>[]) {}
}
class StrOut extends Outlet<string> {
  push(_records: Record<string>[]) {}
}
class AnyIn extends Inlet {
  pull() {
    return 1
  }
}
class AnyOut extends Outlet {
  push(_records: Record[]) {}
}
const interval = 1
const [numIn, anyIn, numOut, strOut, anyOut] = [new NumIn(), new AnyIn(), new NumOut(), new StrOut(), new AnyOut()]
const { pool } = new WorkerPlanner()
const file = './texts.js'

/** A module, as `typeof import('./texts.js')` is one. */
interface Texts {
  readonly toText: (records: Record<number>[]) => Record<string>[]
  readonly ofText: (records: readonly Record<string>[], update: Update) => Promise<Record<number>[]>
  readonly version: number
  readonly describe: () => string
}
interface Only {
  default(records: Record<number>[]): Record<string>[]
}

/** Whether two types are the same. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- this is how the compiler compares types
type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends <T>() => T extends Y ? 1 : 2 ? true : false
const same = <X, Y>(..._: Same<X, Y> extends true ? [] : ['they differ']): undefined => undefined

// --- types of payloads

const toText = pool.processor<number, string>(file, { export: 'toText', chunk: 10 })
same<typeof toText, ProcessorFunction<number, string>>()
export const typed: Processor<number, string> = toText
export const typedLink: Link<number, string> = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: toText,
  interval,
})
// what comes after it knows what it gives
export const afterTyped = new Link({
  inlets: numIn,
  outlets: strOut,
  processors: [toText, (records) => records.filter(({ payload }) => payload.length > 1)],
  interval,
})
// one type: it keeps that
export const keeps = pool.processor<number>(file)
same<typeof keeps, ProcessorFunction<number>>()
// payloads may be objects and texts, with functions and with what is not known
export const objects = pool.processor<{ readonly id: number; readonly data: () => string }, 'small' | 'big'>(file, {
  export: 'sizes',
})
export const loose = pool.processor<{ readonly [key: string]: unknown }, string[]>(file)
export const dates = pool.processor<Date, Map<string, Date>>(file)

// @ts-expect-error it gives texts
export const wrongOut = new Link({ inlets: numIn, outlets: numOut, processors: toText, interval })
// @ts-expect-error it takes numbers
export const wrongIn = new Link({ inlets: anyIn, outlets: strOut, processors: toText, interval })
// @ts-expect-error an option that there is not
export const misspelt = pool.processor<number, string>(file, { exports: 'toText' })

// --- types of a module

const named = pool.processor<Texts, 'toText'>(file, { export: 'toText' })
same<typeof named, ProcessorFunction<number, string>>()
const other = pool.processor<Texts, 'ofText'>(file, { export: 'ofText', chunk: 5 })
same<typeof other, ProcessorFunction<string, number>>()
export const byDefault = pool.processor<Only>(file)
same<typeof byDefault, ProcessorFunction<number, string>>()
export const saidDefault = pool.processor<Only>(file, { export: 'default', chunk: 5 })
same<typeof saidDefault, ProcessorFunction<number, string>>()
// where there is one processor, its name is said once
export const onlyOne = pool.processor<Pick<Texts, 'toText' | 'version'>>(file, { export: 'toText' })
same<typeof onlyOne, ProcessorFunction<number, string>>()
// the module itself
export const ofModule = pool.processor<typeof import('./squares.js'), 'squares'>('./squares.js', { export: 'squares' })
same<typeof ofModule, ProcessorFunction<number, number>>()
export const ofDefault = pool.processor<typeof import('./squares.js')>('./squares.js')
same<typeof ofDefault, ProcessorFunction<number, string>>()

// @ts-expect-error the module has no such processor
export const noSuch = pool.processor<Texts, 'toTexts'>(file, { export: 'toTexts' })
// @ts-expect-error that export is no processor
export const noProcessor = pool.processor<Texts, 'version'>(file, { export: 'version' })
// @ts-expect-error nor that function
export const noRecords = pool.processor<Texts, 'describe'>(file, { export: 'describe' })
// @ts-expect-error another one than was said
export const another = pool.processor<Texts, 'toText'>(file, { export: 'ofText' })
// @ts-expect-error at run time it would be the default export
export const noOption = pool.processor<Texts, 'toText'>(file)
// @ts-expect-error the module has no default export
export const noDefault = pool.processor<Texts>(file)
// @ts-expect-error nor is that the default export
export const notDefault = pool.processor<Only>(file, { export: 'toText' })
// @ts-expect-error it gives texts, as the module says
export const wrongModule = new Link({ inlets: numIn, outlets: numOut, processors: [named], interval })

// --- no types: it fits any link

const untyped = pool.processor(file, { export: 'toText' })
export const intoText = new Link({ inlets: numIn, outlets: strOut, processors: untyped, interval })
export const intoNumbers = new Link({ inlets: numIn, outlets: [numOut, anyOut], processors: [untyped], interval })
export const intoAny = new Link({ inlets: anyIn, outlets: anyOut, processors: [untyped, untyped], interval })
export const amid = new Link({ inlets: numIn, outlets: numOut, processors: [untyped, other, untyped], interval })
export const inPlace = new Link({ inlets: numIn, outlets: strOut, processors: pool.processor(file), interval })
export const inList = new Link({ inlets: numIn, outlets: strOut, processors: [pool.processor(file)], interval })
export const assigned: Processor<number, string> = pool.processor(file)
export const narrowed = new Link({
  inlets: anyIn,
  outlets: anyOut,
  processors: [
    untyped,
    (records) => records.filter(({ payload }) => typeof payload === 'string' && payload.length > 1),
  ],
  interval,
})
