import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { withRetries } from '../../base/retry.js'
import { AlertError } from './alert-error.js'
import type { AlertMessage } from './alert-message.js'
import type { AlertSettings } from './alert-options.js'
import { runCommand } from './run-command.js'
import { sendWebhook } from './send-webhook.js'

type CourierSettings = Pick<AlertSettings, 'target' | 'timeout' | 'retry' | 'maxWaiting'>

/** Delivers messages one after the other, and tries each again with growing delays. Nobody waits for it. */
export class Courier {
  readonly #settings: CourierSettings
  readonly #ending = new AbortController()
  #waiting: AlertMessage[] = []
  #delivery: Promise<void> | undefined
  /** Number of messages that were dropped since the last one that was delivered. */
  #dropped = 0

  constructor(settings: CourierSettings) {
    this.#settings = settings
  }

  /** Delivers a message when those before it are. */
  send(message: AlertMessage): void {
    if (this.#waiting.length >= this.#settings.maxWaiting) {
      const oldest = this.#waiting.shift()
      this.#drop(oldest, `${this.#settings.maxWaiting} others wait`)
    }
    this.#waiting.push(message)
    this.#delivery ??= this.#deliver().finally(() => {
      this.#delivery = undefined
    })
  }

  /**
   * Ends it when all is delivered, or after a while.
   *
   * @param grace - time for what waits, in milliseconds
   */
  async close(grace: number): Promise<void> {
    const { signal } = this.#ending
    await Promise.race([this.#delivery, delay(grace, undefined, { signal, ref: false }).catch(() => undefined)])
    this.#ending.abort(new Error('the planner has shut down'))
    await this.#delivery
  }

  async #deliver(): Promise<void> {
    const { signal } = this.#ending
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      const whole = this.#dropped === 0 ? message : { ...message, dropped: this.#dropped }
      try {
        await withRetries(this.#settings.retry, signal, () => this.#try(whole), judge)
        this.#dropped -= whole.dropped ?? 0
      } catch (thrown) {
        this.#drop(message, toError(thrown).message)
      }
    }
  }

  async #try(message: AlertMessage): Promise<void> {
    const { target, timeout } = this.#settings
    const late = new AbortController()
    const timer = setTimeout(() => {
      late.abort(new AlertError(`it was not delivered within ${timeout} ms`))
    }, timeout)
    const signal = AbortSignal.any([this.#ending.signal, late.signal])
    let abort: () => void = () => undefined
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        reject(toError(signal.reason))
      }
    })
    signal.addEventListener('abort', abort)
    try {
      await Promise.race([aborted, send(target, message, signal)])
    } finally {
      clearTimeout(timer)
      // a signal with a listener is kept for as long as this one
      signal.removeEventListener('abort', abort)
    }
  }

  #drop(message: AlertMessage | undefined, why: string): void {
    this.#dropped++
    const about = message?.text.split('\n')[0] ?? ''
    getLogger('databay.alerts').error(`an alert could not be delivered: ${why} (${about})`)
  }
}

async function send(target: AlertSettings['target'], message: AlertMessage, signal: AbortSignal): Promise<void> {
  if ('webhook' in target) await sendWebhook(target.webhook, message, signal)
  else if ('command' in target) await runCommand(target.command, message, signal)
  else await target.call(message, signal)
}

/** Whether another try is worth it, or the least delay before it. */
function judge(error: Error): boolean | number {
  const { retryable = true, retryAfter = 0 } = error instanceof AlertError ? error : {}
  if (!retryable) return false
  getLogger('databay.alerts').warn(`an alert is tried again: ${error.message}`)
  return retryAfter > 0 ? Math.min(retryAfter, LONGEST_WAIT) : true
}

/** Longest time that a server may ask to wait, in milliseconds. */
const LONGEST_WAIT = 60_000
