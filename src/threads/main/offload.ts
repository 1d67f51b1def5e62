import { InvalidOptionError, PlannerStateError } from '../../base/errors.js'
import { count, custom, resolveOptions, type Spec } from '../../base/options.js'
import type { ProcessorFunction } from '../../core/processor.js'
import type { Record } from '../../core/record.js'
import { moduleUrl } from '../protocol/module-url.js'
import { pack, unpack } from '../protocol/records.js'
import { uncloneable } from '../protocol/uncloneable.js'
import type { Thread } from './thread.js'

/** Options of `planner.pool.processor()`. */
export interface OffloadOptions {
  /**
   * Name of the module's export: a processor function.
   * @default 'default'
   */
  readonly export?: string
  /**
   * Number of records that go to a thread at a time. Small chunks spread better, large ones cost less per record.
   * @default 1000
   */
  readonly chunk?: number
}

/** Every option of a processor that does its work in threads. */
const OFFLOAD_OPTIONS = {
  export: custom(checkExport, "'default'"),
  chunk: count(1000),
} satisfies Spec<OffloadOptions>

function checkExport(name: string, value: string | undefined): string {
  if (value === undefined) return 'default'
  if (typeof value !== 'string') throw new InvalidOptionError(name, 'the name of an export', value)
  return value
}

/** A thread, as records are shipped to it. */
type Shipper = Pick<Thread, 'call'>

/** The threads that records can be shipped to. */
interface Threads {
  readonly threads: readonly Shipper[]
}

/**
 * Makes a processor that does its work in threads: see `planner.pool.processor`.
 * @internal
 */
export function offload(pool: Threads, module: URL | string, options: OffloadOptions = {}): ProcessorFunction {
  const url = moduleUrl('module', module)
  const { export: exportName, chunk: size } = resolveOptions(undefined, options, OFFLOAD_OPTIONS)
  let next = 0

  async function offloaded(records: Record[], update: Parameters<ProcessorFunction>[1]): Promise<Record[]> {
    if (pool.threads.length === 0) {
      throw new PlannerStateError(`processor ${exportName} needs the threads of a running planner`)
    }
    const chunks = Array.from({ length: Math.ceil(records.length / size) }, (_, at) =>
      records.slice(at * size, (at + 1) * size),
    )
    const processed: Record[][] = new Array<Record[]>(chunks.length)
    let taken = 0
    let failed = false
    // each thread takes the next chunk as soon as it is done with one; by then another may have taken its place
    const work = async (index: number) => {
      for (let at = taken++; at < chunks.length && !failed && !update.signal.aborted; at = taken++) {
        try {
          const thread = pool.threads[index % pool.threads.length]
          if (thread === undefined) throw new PlannerStateError(`processor ${exportName} has lost its threads`)
          processed[at] = await ship(thread, chunks[at] ?? [], update)
        } catch (error) {
          failed = true
          throw error
        }
      }
    }
    const start = next++
    await Promise.all(pool.threads.slice(0, chunks.length).map((_, index) => work(start + index)))
    update.signal.throwIfAborted()
    const all: Record[] = []
    for (const chunk of processed) for (const record of chunk) all.push(record)
    return all
  }

  async function ship(thread: Shipper, records: Record[], update: Parameters<ProcessorFunction>[1]): Promise<Record[]> {
    const { tags, transferNumber } = update
    try {
      const sent = pack(records)
      const request = { module: url, exportName, records: sent, tags, transferNumber }
      return unpack(await thread.call('process', request), sent)
    } catch (thrown) {
      if (thrown instanceof DOMException && thrown.name === 'DataCloneError') throw uncloneable(records, thrown)
      throw thrown
    }
  }

  Object.defineProperty(offloaded, 'name', { value: exportName })
  return offloaded
}
