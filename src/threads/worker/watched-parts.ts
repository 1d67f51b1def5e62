import { isPromiseLike } from '../../base/maybe-promise.js'
import { Inlet } from '../../core/inlet.js'
import type { Link } from '../../core/link.js'
import { nodeName } from '../../core/node.js'
import { Outlet } from '../../core/outlet.js'
import { nameOf, type AnyGrouper, type AnyProcessor } from '../../core/processor.js'
import { Record } from '../../core/record.js'
import { stepsOf } from '../../core/transfer/pulled-stream.js'
import type { GivenRecord } from '../protocol/explanation.js'
import { WatchedStage, type Look } from './watched-stage.js'

/** Most values that a stream which yields them one by one gives. */
const MOST_SINGLE = 1000

/** The parts of a link, each watched by a stage. They are called as the link's own, and do what these do. */
export interface WatchedParts {
  readonly inlets: readonly Inlet[]
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
  readonly outlets: readonly Outlet[]
  /** The inlets of the link, by those that stand in for them. */
  readonly originals: ReadonlyMap<Inlet, Inlet>
  /** Stages in the order in which records come to them. */
  readonly stages: readonly WatchedStage[]
}

/**
 * Watches the parts of a link. Its outlets are stood in for: they take what they are given, and do nothing with it.
 *
 * @param given - records that go in instead of a pull
 */
export function watchedParts(link: Link, given: readonly GivenRecord[] | undefined, look: Look): WatchedParts {
  const stages: WatchedStage[] = []
  const stageOf = (...[about]: [ConstructorParameters<typeof WatchedStage>[0]]) => {
    const stage = new WatchedStage(about, look)
    stages.push(stage)
    return stage
  }
  const sources = given === undefined ? link.inlets : [new GivenInlet(given)]
  const inlets = sources.map((inlet) => watchedInlet(inlet, stageOf({ stage: 'pull', node: nodeName(inlet) })))
  const originals = new Map(inlets.map((inlet, at) => [inlet, sources[at] ?? inlet]))
  const processors = link.processors.map((one, at) =>
    watchedProcessor(one, stageOf({ stage: 'process', node: nameOf('processor', one, at) })),
  )
  const groupers = link.groupers.map((one, at) => {
    return watchedGrouper(one, stageOf({ stage: 'group', node: nameOf('grouper', one, at) }))
  })
  const outlets = link.outlets.map((outlet) => {
    const name = nodeName(outlet)
    const own = outlet.processors.map((one, at) =>
      watchedProcessor(one, stageOf({ stage: 'process', node: nameOf('processor', one, at), outlet: name })),
    )
    return new WatchedOutlet(outlet, own, stageOf({ stage: 'push', node: name }))
  })
  return { inlets, processors, groupers, outlets, originals, stages }
}

/** Gives records that were given instead of a pull. */
class GivenInlet extends Inlet {
  readonly #given: readonly GivenRecord[]

  constructor(given: readonly GivenRecord[]) {
    super({ name: 'given records' })
    this.#given = given
  }

  pull(): Record[] {
    return this.#given.map(({ payload, metadata }) => new Record(payload, metadata))
  }

  override get hasCursor(): boolean {
    return false
  }
}

/** Stands in for an outlet: has its processors, and shows what it would be given. */
class WatchedOutlet extends Outlet {
  override readonly readsOnly: boolean
  readonly #stage: WatchedStage

  constructor(original: Outlet, processors: readonly AnyProcessor[], stage: WatchedStage) {
    super({ name: nodeName(original), processors: processors as never })
    // an outlet of another copy of this package may have no such field
    this.readsOnly = (original.readsOnly as boolean | undefined) === true
    this.#stage = stage
  }

  push(records: Record[]): void {
    this.#stage.pushed(records)
  }
}

/** An object like another one, with some methods of its own. The others are called with the other one as `this`. */
function standIn<T extends object>(original: T, own: Partial<T>): T {
  return new Proxy(original, {
    get(target, name) {
      const value: unknown = Object.hasOwn(own, name) ? own[name as keyof T] : Reflect.get(target, name, target)
      return typeof value === 'function' && name !== 'constructor' ? (value.bind(target) as unknown) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

function watchedInlet(inlet: Inlet, stage: WatchedStage): Inlet {
  const look = (value: unknown) => {
    // a stream may be one that can be asked for its steps once
    const steps = stepsOf(value)
    if (steps !== undefined) return firstList(steps, stage)
    if (value !== undefined) stage.pulled(Array.isArray(value) ? value : [value])
    return value
  }
  const pull: Inlet['pull'] = (update, cursor) => {
    const pulled: unknown = stage.watch(
      () => inlet.pull(update, cursor),
      () => undefined,
    )
    return isPromiseLike(pulled) ? Promise.resolve(pulled).then(look) : look(pulled)
  }
  return standIn(inlet, { pull, ...told(inlet, stage) })
}

/** What comes of a transfer, for a part that wants to know it: it is told once, whatever buffers still hold. */
function told(part: Pick<Inlet, 'onTransferEnd'>, stage: WatchedStage): Pick<Inlet, 'onTransferEnd'> {
  if (part.onTransferEnd === undefined) return {}
  let isTold = false
  const tell: NonNullable<Inlet['onTransferEnd']> = (update, delivered, rounds) => {
    if (isTold) return undefined
    isTold = true
    return part.onTransferEnd?.(update, delivered, rounds)
  }
  stage.tell = (update) => tell(update, false, { rounds: 1, deliveredRounds: 0 })
  return { onTransferEnd: tell }
}

/** The first list of a stream, or so many of its single values; then the stream is ended. */
function firstList(steps: { next(): unknown; return?(): unknown }, stage: WatchedStage): AsyncIterator<unknown> {
  let singles = 0
  let isOver = false
  const end = async () => {
    if (isOver) return
    isOver = true
    await steps.return?.()
  }
  return {
    async next() {
      if (isOver) return { done: true, value: undefined }
      if (singles >= MOST_SINGLE) {
        await end()
        return { done: true, value: undefined }
      }
      const since = performance.now()
      const step = (await steps.next()) as IteratorResult<unknown>
      const value: unknown = await step.value
      stage.spend(performance.now() - since)
      if (step.done === true) {
        isOver = true
        return step
      }
      stage.pulled(Array.isArray(value) ? value : [value])
      if (Array.isArray(value)) singles = MOST_SINGLE
      else singles++
      return { done: false, value }
    },
    async return() {
      await end()
      return { done: true, value: undefined }
    },
  }
}

function watchedProcessor(processor: AnyProcessor, stage: WatchedStage): AnyProcessor {
  if (typeof processor === 'function') {
    const watched: AnyProcessor = (records, update) => stage.process(records, () => processor(records, update))
    return Object.defineProperty(watched, 'name', { value: processor.name })
  }
  stage.held = () => processor.size ?? 0
  return standIn(processor, {
    process: (records, update) => stage.process(records, () => processor.process(records, update)),
    ...told(processor, stage),
  })
}

function watchedGrouper(grouper: AnyGrouper, stage: WatchedStage): AnyGrouper {
  const watched: AnyGrouper = (batches, update) => {
    const before = batches.flat().length
    return stage.watch(
      () => grouper(batches, update),
      (given: unknown) => {
        if (Array.isArray(given) && given.every(Array.isArray)) stage.grouped(before, given as Record[][])
      },
    )
  }
  return Object.defineProperty(watched, 'name', { value: grouper.name })
}
