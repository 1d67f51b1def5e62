import { counted } from '../../../base/counted.js'
import { toError } from '../../../base/errors.js'
import { getLogger } from '../../../base/log.js'
import type { Warnings } from '../../../base/warnings.js'
import { failureClass } from '../../../core/failure-class.js'
import { UntriedRecordError } from '../../../core/partial-push.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { partialPush } from '../../rejected.js'
import type { Connection } from '../agents.js'
import { showUrl } from '../errors.js'
import { OutgoingRequests, type Outgoing } from './outgoing.js'
import type { HttpOutletSettings } from './outlet-settings.js'
import { fitted, sendOut } from './send-out.js'
import type { Sending } from './sending.js'
import { SizeLimit } from './size-limit.js'
import { Slot } from './slot.js'

export { SizeLimit }

/*
 * The pushes of an HttpOutlet. This module is loaded when an outlet first starts, as every thread loads the outlet's class, and
 * most threads run none.
 */

/** Parts that the pushes of an outlet share. */
export interface Pushing {
  readonly settings: HttpOutletSettings
  readonly connection: Connection
  readonly warnings: Warnings
  readonly limit: SizeLimit
}

/** Requests that may fail in a row before a push sends no more. */
const MOST_FAILURES = 3

/**
 * Sends records. What it needs of payloads it reads before it first waits.
 *
 * @throws {@link PartialPushError} when some records were not taken
 * @throws {@link HttpError} when none were, for one reason
 */
export async function pushRecords(pushing: Pushing, records: readonly Record[], update: Update): Promise<void> {
  const { settings } = pushing
  const requests = new OutgoingRequests(settings, update, pushing.limit)
  const errors = new Map<number, Error>()
  const all = requests.of(records, errors)
  const log = getLogger('databay.HttpOutlet')
  const where = showUrl(settings.url)
  log.info('%s send %s to %s', String(update), counted(records.length, 'record'), where)
  await new Round({ ...pushing, requests, errors, update }).send(all)
  log.info('%s sent %s to %s', String(update), counted(records.length - errors.size, 'record'), where)
  if (errors.size > 0) throw pushError(records.length, errors)
}

/** Sends the requests of a push, several at a time. */
class Round {
  readonly #sending: Sending
  readonly #mostFailures: number
  #failuresInRow = 0
  /** Why nothing more is sent. */
  #gaveUp: Error | undefined
  /** The last request to each URL that records have chosen: with whether it failed. */
  readonly #lanes = new Map<string, Promise<boolean>>()

  constructor(sending: Sending) {
    this.#sending = sending
    this.#mostFailures = sending.settings.isOrdered ? 1 : MOST_FAILURES
  }

  async send(all: readonly Outgoing[]): Promise<void> {
    // the workers take from one iterator
    const left = all.values()
    const { settings, update } = this.#sending
    const work = async () => {
      const slot = new Slot(update.signal, settings.timeout)
      try {
        for (const outgoing of left) await this.#inLane(outgoing, slot)
      } finally {
        slot.end()
      }
    }
    await Promise.all(Array.from({ length: Math.min(settings.concurrency, all.length) }, work))
  }

  /** Sends a request, but behind those before it to a URL that its records have chosen. */
  async #inLane(outgoing: Outgoing, slot: Slot): Promise<void> {
    const { url } = outgoing.destination
    if (url.href === this.#sending.settings.url.href) {
      await this.#deliver(outgoing, slot)
      return
    }
    const before = this.#lanes.get(url.href)
    const delivering = this.#behind(before, outgoing, slot)
    this.#lanes.set(url.href, delivering)
    await delivering
  }

  /** Resolves with whether the request, or one before it, failed. */
  async #behind(before: Promise<boolean> | undefined, outgoing: Outgoing, slot: Slot): Promise<boolean> {
    if ((await before) !== true) return await this.#deliver(outgoing, slot)
    this.#skip(outgoing)
    return true
  }

  /** Sends a request, and those in its place. Resolves with whether records of it have to wait. */
  async #deliver(outgoing: Outgoing, slot: Slot): Promise<boolean> {
    const queue = fitted(this.#sending, outgoing)
    let failed = false
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.#gaveUp !== undefined || this.#sending.update.signal.aborted) {
        this.#skip(next)
        failed = true
        continue
      }
      const { waits, parts = [] } = await sendOut(this.#sending, next, slot)
      queue.unshift(...parts)
      if (waits !== undefined) failed = true
      this.#failuresInRow = waits === undefined ? 0 : this.#failuresInRow + 1
      if (this.#failuresInRow >= this.#mostFailures) this.#gaveUp = waits
    }
    return failed
  }

  /** Notes that a request was not sent. */
  #skip({ entries }: Outgoing): void {
    const { update, errors } = this.#sending
    const error = update.signal.aborted
      ? toError(update.signal.reason)
      : new UntriedRecordError('HttpOutlet: not sent, as requests before it failed')
    for (const { index } of entries) errors.set(index, error)
  }
}

/** Error of a push that did not take all records. */
function pushError(total: number, errors: ReadonlyMap<number, Error>): Error {
  const all = [...errors.values()]
  const reason = all.find((error) => !(error instanceof UntriedRecordError)) ?? all[0]
  // no record is to blame for what all of them met
  if (reason !== undefined && errors.size === total && all.every((error) => failureClass(error) !== 'refused'))
    return reason
  return partialPush('HttpOutlet', total, errors)
}
