import type { Attributes, AttributeValue, Context, Span } from '@opentelemetry/api'
import type { MaybePromise } from '../base/maybe-promise.js'
import { plainError } from '../base/plain-error.js'
import { failureText, type Stage, type TransferReport } from '../core/report.js'
import { useTracer, type TracedCall, type TracedTransfer, type TransferTrace } from '../core/transfer/tracing.js'
import { loadTelemetryApi, type TelemetryApi } from './api.js'
import { SdkGuard } from './guard.js'

/** Name under which spans and metrics are made. */
export const SCOPE = 'databay'

/**
 * Has the transfers of this thread make spans, for links whose planner has `telemetry`.
 *
 * ```
 * transfer
 *   pull HttpInlet        of a stream: one for each list
 *   round 1               of a stream: what follows lies in it
 *   process score
 *   group inPairs
 *   push MongoOutlet      for each batch
 * ```
 *
 * @throws {@link MissingDependencyError} when the package is not installed
 */
export async function traceTransfers(): Promise<void> {
  const api = await loadTelemetryApi()
  const guard = new SdkGuard()
  useTracer({ begin: (transfer) => guard.call(() => Trace.begin(api, guard, transfer)) })
}

/**
 * The spans of one transfer. Each is active while its work is done, so that spans of other libraries lie in it. A transfer goes on
 * without spans where the SDK fails.
 */
class Trace implements TransferTrace {
  readonly #api: TelemetryApi
  readonly #guard: SdkGuard
  readonly #span: Span
  readonly #context: Context
  /** Errors that have a place in the span of a call. */
  readonly #noted = new WeakSet()

  /** Begins the span of a transfer, unless there is no SDK. It has no parent: what is active is the start of the planner, if anything. */
  static begin(api: TelemetryApi, guard: SdkGuard, transfer: TracedTransfer): Trace | undefined {
    const { link, update, thread, scheduledAt, drain } = transfer
    const attributes = {
      'databay.link': link,
      'databay.update': String(update),
      'databay.tags': [...update.tags],
      'databay.transfer.number': update.transferNumber,
      'databay.thread': thread,
      'databay.drain': drain ? true : undefined,
      'databay.lateness': scheduledAt === undefined ? undefined : Math.max(0, Date.now() - scheduledAt) / 1000,
    }
    const span = tracerOf(api).startSpan('transfer', { root: true, attributes: present(attributes) })
    return api.isSpanContextValid(span.spanContext()) ? new Trace(api, guard, span) : undefined
  }

  private constructor(api: TelemetryApi, guard: SdkGuard, span: Span) {
    this.#api = api
    this.#guard = guard
    this.#span = span
    this.#context = api.trace.setSpan(api.ROOT_CONTEXT, span)
  }

  run<T>(work: () => T): T {
    return this.#guard.around((call) => this.#api.context.with(this.#context, call), work)
  }

  round<T>(round: number, records: number, work: () => MaybePromise<T>): MaybePromise<T> {
    return this.#within(`round ${round}`, { 'databay.round': round, 'databay.records.in': records }, work)
  }

  call<T>({ stage, node, given, round }: TracedCall, work: () => MaybePromise<T>): MaybePromise<T> {
    const attributes = { 'databay.node': node, 'databay.records.in': given, 'databay.round': round }
    // a processor calls itself "processor score", and an inlet may tell where its records come from
    const name = `${stage} ${node.replace(/^(processor|grouper) |\(.*/gs, '')}`
    return this.#within(name, attributes, work, (result) => {
      const out = stage === 'group' ? 'databay.batches' : 'databay.records.out'
      return stage !== 'push' && Array.isArray(result) ? { [out]: result.length } : {}
    })
  }

  failed(error: Error, node: string, stage: Stage): void {
    if (this.#noted.has(error)) return
    this.#guard.call(() => noteError(this.#span, error, { 'databay.node': node, 'databay.stage': stage }))
  }

  end(report: TransferReport): void {
    this.#guard.call(() => {
      this.#end(report)
    })
  }

  #end(report: TransferReport): void {
    const { pulled, filtered, added, dropped, buffered, dead, replayed, grouped, batches, rounds, outlets } = report
    const pushed = outlets.reduce((sum, outlet) => sum + outlet.pushed, 0)
    const droppedByOutlets = outlets.reduce((sum, outlet) => sum + outlet.dropped, 0)
    const records = {
      pulled,
      filtered,
      added,
      dropped: dropped + droppedByOutlets,
      buffered,
      dead,
      replayed,
      grouped,
      pushed,
    }
    const counts = Object.entries(records).map(([name, count]) => [`databay.records.${name}`, count] as const)
    const blocked = report.blocked === undefined ? undefined : true
    this.#span.setAttributes(
      present({
        ...Object.fromEntries(counts),
        'databay.batches': batches,
        'databay.rounds': rounds,
        'databay.blocked': blocked,
      }),
    )
    const failure = report.blocked ?? report.errors[0]
    if (failure !== undefined) {
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: failureText(failure) })
    }
    this.#span.end()
  }

  /** Does work in a span, below the one that is active, or that of the transfer where no context is kept. */
  #within<T>(
    name: string,
    attributes: Partial<Attributes>,
    work: () => MaybePromise<T>,
    resultOf: (result: T) => Attributes = () => ({}),
  ): MaybePromise<T> {
    const { context, trace, SpanStatusCode } = this.#api
    const begun = this.#guard.call(() => {
      const active = context.active()
      const parent = trace.getSpan(active) === undefined ? this.#context : active
      const span = tracerOf(this.#api).startSpan(name, { attributes: present(attributes) }, parent)
      return { span, inSpan: trace.setSpan(parent, span) }
    })
    if (begun === undefined) return work()
    const { span, inSpan } = begun
    const ended = (result: T): T => {
      this.#guard.call(() => {
        span.setAttributes(resultOf(result)).end()
      })
      return result
    }
    const failed = (thrown: unknown): never => {
      this.#guard.call(() => {
        const message = noteError(span, thrown)
        span.setStatus({ code: SpanStatusCode.ERROR, message }).end()
      })
      if (thrown instanceof Error) this.#noted.add(thrown)
      throw thrown
    }
    let result: MaybePromise<T>
    try {
      result = this.#guard.around((call) => context.with(inSpan, call), work)
    } catch (thrown) {
      return failed(thrown)
    }
    return result instanceof Promise ? result.then(ended, failed) : ended(result)
  }
}

function tracerOf({ trace }: TelemetryApi) {
  return trace.getTracer(SCOPE)
}

/** Adds an error to a span: its message, without a stack, which may have more in it. Gives the message. */
function noteError(span: Span, thrown: unknown, attributes: Attributes = {}): string {
  const { name, message, code } = plainError(thrown)
  span.addEvent('exception', {
    ...attributes,
    'exception.type': name,
    'exception.message': message,
    ...(code !== undefined && { 'databay.error.code': String(code) }),
  })
  return message
}

function present(attributes: { readonly [name: string]: AttributeValue | undefined }): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
}
