import { getEnvironmentData } from 'node:worker_threads'
import { setTimeout as wait } from 'node:timers/promises'
import { Buffer, Inlet, Link, Outlet, Record, type Update } from 'databay'
import { Board } from './board.js'
import { commit } from './faults.js'
import { collect } from './garbage.js'
import { isIssued, issue, PER_TRANSFER, type Issued } from './issue.js'
import { COLLECT, nameOf, ORDERS, SOAK, waits, type Place, type Soak } from './soak-orders.js'

const { memory, links: count, interval, timeout } = getEnvironmentData(SOAK) as Soak
const board = new Board(count, memory)

/** Count at which buffers release their records. The kinds of links follow from their numbers. */
const BUFFER = 30
const buffers = (link: number) => link % 4 === 1
const computes = (link: number) => (link % 10 === 2 ? 2 : 0)
const stateless = (link: number) => link % 10 === 4

/** Orders of the links for the transfers that run; each is read when its transfer begins. */
const orders = new Map<number, number>()

async function obey(link: number, place: Place): Promise<void> {
  const order = orders.get(link) ?? 0
  if (order === COLLECT && place === 'pull') collect()
  const fault = ORDERS[order - 1]
  if (fault?.place === place && fault.kind !== 'terminate') await commit(fault.kind)
}

class Generator extends Inlet<Issued> {
  readonly #link: number

  constructor(link: number) {
    super()
    this.#link = link
  }

  async pull({ transferNumber }: Update): Promise<Issued[]> {
    const link = this.#link
    orders.set(link, board.take(link))
    const time = waits(link)
    if (time > 0) await wait(time)
    await obey(link, 'pull')
    return Array.from({ length: PER_TRANSFER }, (_, at) => issue(nameOf(link), transferNumber * PER_TRANSFER + at))
  }

  override saveState(): unknown {
    return undefined
  }
}

class Journal extends Outlet<Issued> {
  readonly #link: number

  constructor(link: number) {
    super()
    this.#link = link
  }

  async push(records: Record<Issued>[], { transferNumber }: Update): Promise<void> {
    const link = this.#link
    board.write(link, { kind: 'begins', first: transferNumber, second: 0 })
    await obey(link, 'push')
    const ours = records.filter(({ payload }) => payload.link === nameOf(link) && isIssued(payload))
    const foreign = records.length - ours.length
    if (foreign > 0) board.write(link, { kind: 'foreign', first: foreign, second: 0 })
    for (const [first, second] of runs(ours.map(({ payload }) => payload.number))) {
      board.write(link, { kind: 'takes', first, second })
    }
    board.write(link, { kind: 'ends', first: transferNumber, second: 0 })
  }

  override saveState(): unknown {
    return undefined
  }
}

/** Groups numbers that follow each other: the first of each group, and how many. */
function runs(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last !== undefined && number === last[0] + last[1]) last[1]++
    else found.push([number, 1])
  }
  return found
}

function makeLink(link: number): Link<Issued, Issued> {
  const work = async (records: Record<Issued>[]) => {
    await obey(link, 'process')
    for (const until = Date.now() + computes(link); Date.now() < until;) Math.random()
    return records
  }
  return new Link({
    id: nameOf(link),
    tags: nameOf(link),
    inlets: new Generator(link),
    outlets: new Journal(link),
    processors: buffers(link) ? [work, new Buffer<Issued>({ countThreshold: BUFFER })] : [work],
    interval,
    timeout,
    stateless: stateless(link),
  })
}

export const links = Array.from({ length: count }, (_, link) => makeLink(link))
