import { Buffer, Inlet, Link, Outlet, Record, type Duration, type LinkSettings, type Update } from 'databay'
import { commit, type Fault, type Place } from './faults.js'
import { issue, PER_TRANSFER, type Issued } from './issue.js'
import { note } from './journal.js'

/** Specification of a link of the harness. */
export interface Spec {
  readonly name: string
  /** File of the outlet's journal. */
  readonly journal: string
  /** Interval, in milliseconds. */
  readonly every: number
  readonly timeout?: Duration
  readonly stateless?: boolean
  readonly maxInstances?: number
  readonly lane?: LinkSettings['lane']
  readonly onStartFailure?: LinkSettings['onStartFailure']
  /** Count at which the link's buffer releases its records; without it the link has no buffer. */
  readonly buffer?: number
  /** Length of a pull, in milliseconds. */
  readonly pulls?: number
  /** Time that the link computes in each transfer, in milliseconds. */
  readonly computes?: number
  readonly fault?: {
    readonly kind: Fault
    readonly place: Place
    /** Number of the transfer in which the fault happens; with `again`, in all later ones too. */
    readonly at: number
    readonly again?: boolean
  }
}

/** Commits the fault of a link if this is its place and transfer. */
async function maybe(spec: Spec, place: Place, transfer: number): Promise<unknown> {
  const { fault } = spec
  if (fault?.place !== place) return undefined
  const now = fault.again === true ? transfer >= fault.at : transfer === fault.at
  return now ? commit(fault.kind) : undefined
}

/** Inlet that issues records, whose numbers follow from that of the transfer. */
class Generator extends Inlet {
  readonly #spec: Spec

  constructor(spec: Spec) {
    super()
    this.#spec = spec
  }

  override async onStart(): Promise<void> {
    await maybe(this.#spec, 'onStart', 0)
  }

  async pull({ transferNumber }: Update): Promise<unknown[]> {
    const { name, pulls } = this.#spec
    if (pulls !== undefined) await new Promise((resolve) => setTimeout(resolve, pulls))
    const fault = await maybe(this.#spec, 'pull', transferNumber)
    const first = transferNumber * PER_TRANSFER
    const records = Array.from({ length: PER_TRANSFER }, (_, at): unknown => issue(name, first + at))
    return fault === undefined ? records : [...records, fault]
  }

  override async onShutdown(): Promise<void> {
    await maybe(this.#spec, 'onShutdown', 0)
  }

  override saveState(): unknown {
    return undefined
  }
}

class Journal extends Outlet {
  readonly #spec: Spec

  constructor(spec: Spec) {
    super()
    this.#spec = spec
  }

  async push(records: Record[], { transferNumber }: Update): Promise<void> {
    const { name, journal } = this.#spec
    const entry = (step: 'begins' | 'ends') =>
      note(journal, {
        link: name,
        step,
        transfer: transferNumber,
        at: Date.now(),
        records: step === 'ends' ? records.flatMap(({ payload }) => (isRecordOf(payload) ? payload : [])) : [],
      })
    entry('begins')
    await maybe(this.#spec, 'push', transferNumber)
    entry('ends')
  }

  override saveState(): unknown {
    return undefined
  }
}

/** Whether a payload came from a generator, not from a fault. */
function isRecordOf(payload: unknown): payload is Issued {
  return typeof payload === 'object' && payload !== null && 'proof' in payload
}

function makeLink(spec: Spec): Link {
  const { computes, buffer } = spec
  const work = async (records: Record[], { transferNumber }: Update) => {
    await maybe(spec, 'process', transferNumber)
    for (const until = Date.now() + (computes ?? 0); Date.now() < until;) Math.random()
    return records
  }
  return new Link({
    id: spec.name,
    tags: spec.name,
    inlets: new Generator(spec),
    outlets: new Journal(spec),
    processors: [work, ...(buffer === undefined ? [] : [new Buffer({ countThreshold: buffer })])],
    interval: { milliseconds: spec.every },
    ...(spec.timeout !== undefined && { timeout: spec.timeout }),
    ...(spec.stateless !== undefined && { stateless: spec.stateless }),
    ...(spec.maxInstances !== undefined && { maxInstances: spec.maxInstances }),
    ...(spec.onStartFailure !== undefined && { onStartFailure: spec.onStartFailure }),
    ...(spec.lane !== undefined && { lane: spec.lane }),
  })
}

/** Links that the module's URL asks for. */
export const links = (JSON.parse(new URL(import.meta.url).searchParams.get('links') ?? '[]') as Spec[]).map(makeLink)
