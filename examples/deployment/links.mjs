import { join } from 'node:path'
import { CsvInlet, FileOutlet, Inlet, Link } from 'databay'

// what has to outlive a restart: systemd names the folder, and so do the Dockerfile and the manifest
const state = process.env.STATE_DIRECTORY ?? 'state'

/** Produces the time. */
class TimeInlet extends Inlet {
  pull() {
    return new Date().toISOString()
  }
}

export const prices = new Link({
  inlets: new CsvInlet(join(state, 'prices.csv'), { missing: 'await', positionFile: join(state, 'prices.position') }),
  outlets: new FileOutlet(join(state, 'prices.jsonl'), { format: 'json' }),
  interval: 10,
})

// a file that is as old as the last transfer: a probe looks at it
export const heartbeat = new Link({
  inlets: new TimeInlet(),
  outlets: new FileOutlet(join(state, 'heartbeat'), { fileMode: 'w' }),
  interval: 10,
})
