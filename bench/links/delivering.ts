/**
 * Links whose records are to survive a crash. In the URL, `delivery=memory` or `delivery=cursor`. With `from` and `to`, a link that
 * copies the lines of a file, 1,000 in a transfer. With `links=100`, links that give one number after the other. With `refuse=1`,
 * one that gives 1,000 numbers, which its outlet refuses.
 */
import {
  FileInlet,
  FileOutlet,
  Inlet,
  InvalidPayloadError,
  Link,
  NullOutlet,
  Outlet,
  type Cursor,
  type Update,
} from 'databay'

const { searchParams } = new URL(import.meta.url)
const delivery = searchParams.get('delivery') === 'cursor' ? 'cursor' : 'memory'
const from = searchParams.get('from')
const settings = { delivery, interval: 1 } as const

class Numbers extends Inlet<number, number> {
  override readonly cursorVersion = 1
  readonly #count: number

  constructor(count: number) {
    super()
    this.#count = count
  }

  pull(_update: Update, cursor: Cursor<number>): number[] {
    const first = cursor.value ?? 0
    cursor.advance(first + this.#count)
    return Array.from({ length: this.#count }, (_, at) => first + at)
  }
}

class Refusing extends Outlet {
  push(): void {
    throw new InvalidPayloadError('no')
  }
}

export const copy =
  from === null
    ? []
    : [
        new Link({
          ...settings,
          id: 'copy',
          inlets: new FileInlet(from, { linesPerTransfer: 1000 }),
          outlets: new FileOutlet(searchParams.get('to') ?? ''),
        }),
      ]

export const small = Array.from(
  { length: Number(searchParams.get('links') ?? 0) },
  (_, at) => new Link({ ...settings, id: `small${at}`, inlets: new Numbers(1), outlets: new NullOutlet() }),
)

export const refused =
  searchParams.get('refuse') === null
    ? []
    : [new Link({ ...settings, id: 'refused', inlets: new Numbers(1000), outlets: new Refusing() })]
