/** Types of what the built-in inlets give: what compiles, and what must not. */
import {
  CsvInlet,
  HttpInlet,
  Link,
  NullOutlet,
  Outlet,
  type CsvInletOptions,
  type CsvRow,
  type HttpInletOptions,
  type Inlet,
  type Record,
} from '../../src/index.js'

interface Todo {
  readonly id: number
  readonly title: string
}
class TodoOut extends Outlet<Todo> {
  push(_records: Record<Todo>[]) {}
}
class NumOut extends Outlet<number> {
  push(_records: Record<number>[]) {}
}
class PriceOut extends Outlet<{ readonly price: number | null; readonly at: Date | null }> {
  push() {}
}
const interval = 1
const [todoOut, numOut, priceOut, anyOut] = [new TodoOut(), new NumOut(), new PriceOut(), new NullOutlet()]
const url = 'https://example.com/todos'
const file = 'prices.csv'

/** Whether two types are the same. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- this is how the compiler compares types
type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends <T>() => T extends Y ? 1 : 2 ? true : false
const payloads = <T>(_: Inlet<T>) => ({
  are: <Y>(..._: Same<T, Y> extends true ? [] : ['they differ']): undefined => undefined,
})

// --- HttpInlet

// without types it gives what is not known
payloads(new HttpInlet(url)).are<unknown>()
payloads(new HttpInlet(url, { select: 'items', next: 'next' })).are<unknown>()
export const unknownToAny = new Link({ inlets: new HttpInlet(url), outlets: anyOut, interval })
// the type that is said
payloads(new HttpInlet<Todo>(url, { select: 'items' })).are<Todo>()
// what `select` gives: elements of a list, or one
payloads(new HttpInlet(url, { select: (body: { readonly items: Todo[] }) => body.items })).are<Todo>()
payloads(new HttpInlet(url, { select: (body: { readonly item: Todo | null }) => body.item })).are<Todo>()
payloads(new HttpInlet<Todo>(url, { select: (body: { readonly items: readonly Todo[] }) => body.items })).are<Todo>()
// it flows into processors and outlets
export const todos: Link<Todo> = new Link({
  inlets: new HttpInlet(url, { select: (body: { readonly items: Todo[] }) => body.items }),
  outlets: [todoOut, anyOut],
  processors: (records) => records.filter(({ payload }) => payload.title !== ''),
  interval,
})
export class TodoInlet extends HttpInlet<Todo> {
  constructor(options: HttpInletOptions = {}) {
    super(url, { ...options, select: 'items' })
  }
}
export class Passing extends HttpInlet<Todo> {
  constructor(options: HttpInletOptions) {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-argument -- options of any payloads fit, as they always did
    super(url, options)
  }
}

// @ts-expect-error what is not known is no todo
export const unknownTodos = new Link({ inlets: new HttpInlet(url), outlets: todoOut, interval })
// @ts-expect-error todos are no numbers
export const todosToNumbers = new Link({ inlets: new HttpInlet<Todo>(url), outlets: numOut, interval })
// @ts-expect-error nor are those that are selected
export const selected = new Link({ inlets: new HttpInlet(url, { select: (b: Todo) => b }), outlets: numOut, interval })
// @ts-expect-error it selects numbers
export const wrongSelect = new HttpInlet<Todo>(url, { select: (body: { readonly n: number }) => body.n })
// @ts-expect-error an option that there is not
export const misspeltHttp = new HttpInlet<Todo>(url, { selects: 'items' })

// --- CsvInlet

// without types it gives rows of any value
payloads(new CsvInlet(file)).are<CsvRow>()
payloads(new CsvInlet(file, { delimiter: ';' })).are<CsvRow>()
const given: CsvInletOptions = {}
payloads(new CsvInlet(file, given)).are<CsvRow>()
export const rowsToAny: Link<CsvRow> = new Link({ inlets: new CsvInlet(file), outlets: anyOut, interval })
// the type that is said
payloads(new CsvInlet<Todo>(file, { types: { id: 'number' } })).are<Todo>()
payloads(new CsvInlet<Todo>(file)).are<Todo>()
// columns that have types, beside others
const prices = new CsvInlet(file, { types: { price: 'number', at: 'date', ok: 'boolean', n: 'bigint', id: 'string' } })
export const pricesLink = new Link({ inlets: prices, outlets: [priceOut, anyOut], interval })
export const shown = new Link({
  inlets: prices,
  outlets: anyOut,
  processors: (records) =>
    records.filter(({ payload: { price, at, ok, n, id } }) => {
      return [price?.toFixed(), at?.getTime(), ok === true, n === 1n, id.length].every(Boolean)
    }),
  interval,
})
export const anyRows: CsvInlet = prices
// exactly the columns that are listed: those without a type are texts
payloads(new CsvInlet(file, { columns: ['id', 'price'], types: { price: 'number' } })).are<{
  readonly id: string
  readonly price: number | null
}>()
payloads(new CsvInlet(file, { columns: ['id', 'name'], header: false })).are<{
  readonly id: string
  readonly name: string
}>()
// what else says how cells are read
payloads(new CsvInlet(file, { columns: ['id'], shortRows: 'fill' })).are<{ readonly id: string | null }>()
payloads(new CsvInlet(file, { columns: ['n'], types: { n: 'number' }, bigIntegers: 'bigint' })).are<{
  readonly n: number | bigint | null
}>()
// inlets of one's own
export class Prices extends CsvInlet<{ readonly price: number }> {
  override async pull(...[update]: Parameters<CsvInlet['pull']>) {
    const rows = await super.pull(update)
    return Array.isArray(rows) ? rows.filter(({ price }) => price > 1) : rows
  }
}
export class Rows extends CsvInlet {}
export class Generic<T extends object> extends CsvInlet<T> {
  override async pull(...[update]: Parameters<CsvInlet['pull']>) {
    const rows = await super.pull(update)
    return Array.isArray(rows) ? rows.slice(1) : rows
  }
}

// @ts-expect-error a column that has no type may hold a text
export const pricesToTodos = new Link({ inlets: new CsvInlet(file), outlets: priceOut, interval })
// @ts-expect-error the price may be empty
export const mayBeEmpty = new Link({ inlets: prices, outlets: todoOut, interval })
// @ts-expect-error rows are no numbers
export const rowsToNumbers = new Link({ inlets: new CsvInlet<Todo>(file), outlets: numOut, interval })
// @ts-expect-error a type that there is not
export const wrongType = new CsvInlet(file, { types: { price: 'float' } })
// @ts-expect-error an option that there is not
export const misspeltCsv = new CsvInlet(file, { delimeter: ';' })
// @ts-expect-error a row is an object
export const noRow = new CsvInlet<number>(file)
