import { EventEmitter } from 'node:events'
import { InvalidOptionError } from '../base/errors.js'
import { hintAt } from '../base/suggestion.js'
import { PLANNER_EVENTS, type PlannerEvents } from '../operate/planner-events.js'

/** Listener of an event of a planner. It may be asynchronous; what it gives does not matter. */
export type PlannerListener<K extends keyof PlannerEvents> = (...payload: PlannerEvents[K]) => unknown

/**
 * What a planner has as an emitter of {@link PlannerEvents}. It is an `EventEmitter` of Node. Its methods are declared here,
 * as the types of Node let a misspelt event pass.
 */
export interface PlannerEmitter {
  /** @throws {@link InvalidOptionError} on an event that there is not */
  on<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  /** @throws {@link InvalidOptionError} on an event that there is not */
  once<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  /** @throws {@link InvalidOptionError} on an event that there is not */
  addListener<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  /** @throws {@link InvalidOptionError} on an event that there is not */
  prependListener<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  /** @throws {@link InvalidOptionError} on an event that there is not */
  prependOnceListener<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  /** @throws {@link InvalidOptionError} on an event that there is not */
  off<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  /** @throws {@link InvalidOptionError} on an event that there is not */
  removeListener<K extends keyof PlannerEvents>(event: K, listener: PlannerListener<K>): this
  removeAllListeners(event?: keyof PlannerEvents): this
  emit<K extends keyof PlannerEvents>(event: K, ...payload: PlannerEvents[K]): boolean
  listenerCount(event: keyof PlannerEvents): number
  listeners<K extends keyof PlannerEvents>(event: K): PlannerListener<K>[]
  rawListeners<K extends keyof PlannerEvents>(event: K): PlannerListener<K>[]
  eventNames(): (string | symbol)[]
  setMaxListeners(most: number): this
  getMaxListeners(): number
}

type Listener = Parameters<EventEmitter['on']>[1]

class CheckedEmitter extends EventEmitter {
  constructor() {
    super({ captureRejections: true })
  }

  // `once` and `prependOnceListener` of Node call these

  override on(event: string | symbol, listener: Listener): this {
    return super.on(checkEvent(event), listener)
  }

  override addListener(event: string | symbol, listener: Listener): this {
    return super.addListener(checkEvent(event), listener)
  }

  override prependListener(event: string | symbol, listener: Listener): this {
    return super.prependListener(checkEvent(event), listener)
  }

  override off(event: string | symbol, listener: Listener): this {
    return super.off(checkEvent(event), listener)
  }

  override removeListener(event: string | symbol, listener: Listener): this {
    return super.removeListener(checkEvent(event), listener)
  }
}

export const PlannerEmitter: abstract new () => PlannerEmitter =
  CheckedEmitter as unknown as abstract new () => PlannerEmitter

/** Events that an emitter of Node has by itself, or that its helpers, such as `once`, listen to. */
const OF_NODE = ['error', 'newListener', 'removeListener']

/** @throws {@link InvalidOptionError} on the name of an event that a planner never emits */
function checkEvent(event: string | symbol): string | symbol {
  const known: readonly string[] = PLANNER_EVENTS
  if (typeof event === 'symbol' || known.includes(event) || OF_NODE.includes(event)) return event
  const hint = typeof event === 'string' ? hintAt(event, known) : undefined
  throw new InvalidOptionError('event', `one of the events ${known.join(', ')}`, event, { hint })
}
