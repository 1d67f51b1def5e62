/**
 * Links of which each needs something that is loaded only when it is needed. Environment: FOLDER, the URL of a SERVER, and
 * that of a server of MONGODB if there is one.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import {
  CsvInlet,
  CsvOutlet,
  FileInlet,
  FileOutlet,
  HttpInlet,
  Inlet,
  Link,
  MongoInlet,
  MongoOutlet,
  NullOutlet,
} from '../../src/index.js'

const { FOLDER = '', SERVER = '', MONGODB = '' } = process.env
const file = (name: string) => path.join(FOLDER, name)
const common = { interval: 3600, immediateTransfer: false } as const

/** Inlet of one row. */
class RowInlet extends Inlet {
  pull() {
    return { name: 'row', size: 1 }
  }
}

/** Inlet that ends its thread when there is a file that says so. */
class EndingInlet extends Inlet {
  pull() {
    if (existsSync(file('end'))) process.exit(1)
    return 'alive'
  }
}

/** Inlet that always fails. */
class FailingInlet extends Inlet {
  pull(): never {
    throw new Error('an error of its own')
  }
}

export const csvOutlet = new Link({ inlets: new RowInlet(), outlets: new CsvOutlet(file('out.csv')), ...common })
export const fileOutlet = new Link({ inlets: new RowInlet(), outlets: new FileOutlet(file('out.txt')), ...common })
export const csvInlet = new Link({ inlets: new CsvInlet(file('in.csv')), outlets: new NullOutlet(), ...common })
export const fileInlet = new Link({ inlets: new FileInlet(file('in.txt')), outlets: new NullOutlet(), ...common })
export const httpInlet = new Link({ inlets: new HttpInlet(SERVER), outlets: new NullOutlet(), ...common })
export const failing = new Link({ inlets: new FailingInlet(), outlets: new NullOutlet(), ...common })
export const ending = new Link({ inlets: new EndingInlet(), outlets: new NullOutlet(), ...common })

const store = { url: MONGODB, database: 'shortage', collection: 'rows' }

export const mongo =
  MONGODB === ''
    ? []
    : [
        new Link({ inlets: new RowInlet(), outlets: new MongoOutlet(store), ...common }),
        new Link({ inlets: new MongoInlet(store), outlets: new NullOutlet(), ...common }),
      ]
