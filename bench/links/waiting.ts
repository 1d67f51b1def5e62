/** Links that wait 100 ms. In the URL, `links=30` is their number, and `lane=auto` their lane. */
import { setTimeout as delay } from 'node:timers/promises'
import { Inlet, Link, NullOutlet, type Lane } from 'databay'

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 30)
const lane = (searchParams.get('lane') ?? 'auto') as Lane

class WaitingInlet extends Inlet<number> {
  async pull(): Promise<number> {
    await delay(100)
    return 1
  }

  /** Hands over nothing, so that the link can move to another thread. */
  override saveState(): undefined {
    return undefined
  }
}

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({
      inlets: new WaitingInlet(),
      outlets: new NullOutlet(),
      interval: 86_400,
      lane,
      id: `waiting${index}`,
      tags: `waiting${index}`,
    }),
)
