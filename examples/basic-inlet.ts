/** An inlet of your own, which gives a random integer for each transfer, every 5 seconds. */
import { randomInt } from 'node:crypto'
import { Inlet, Link, PrintOutlet } from 'databay'

class RandomIntInlet extends Inlet<number> {
  pull() {
    return randomInt(0, 101) // one value is one record, an array is many
  }
}

export const randomInts = new Link({
  inlets: new RandomIntInlet(),
  outlets: new PrintOutlet({ onlyPayload: true }),
  interval: { seconds: 5 },
  tags: 'random_ints',
})
