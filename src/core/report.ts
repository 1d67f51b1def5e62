import { DatabayError, toError } from '../base/errors.js'
import { type PlainError, plainError, restoreError } from '../base/plain-error.js'
import { transferText } from './update.js'

/** Stage of a node's or link's life in which an error occurred. */
export type Stage = 'start' | 'pull' | 'process' | 'group' | 'copy' | 'push' | 'shutdown' | 'transfer'

/** An error of a transfer: plain data, with the node and stage that it came from. */
export interface ReportedError extends PlainError {
  /** The node, processor or grouper, as it names itself, like `HttpInlet` or `processor score`. */
  readonly node: string
  readonly stage: Stage
  /**
   * Round of a transfer that streams in which it occurred: 1, 2, ... For `pull`, the one that the list was for. Absent for
   * other transfers, and for what belongs to no round.
   */
  readonly round?: number
}

/** An error in words: like `FileOutlet failed to push in round 3: ENOSPC`. */
export function failureText(error: Pick<ReportedError, 'node' | 'stage' | 'round' | 'message'>): string {
  const { node, stage, round, message } = error
  return `${node} failed to ${stage}${round === undefined ? '' : ` in round ${round}`}: ${message}`
}

/** Time that one stage of a transfer took: an inlet, a processor, a grouper or an outlet. */
export interface StageTime {
  readonly stage: 'pull' | 'process' | 'group' | 'push'
  /** The node, processor or grouper, as it names itself. */
  readonly node: string
  /**
   * Time from its calls to their end, in milliseconds: of all rounds and batches, for an outlet with its own processors. 0 when
   * it was not called. Stages overlap where inlets pull at once, outlets push at once, or a stream runs ahead.
   */
  readonly duration: number
}

/** Counts of what one outlet did with the records of a transfer. */
export interface OutletReport {
  readonly outlet: string
  /** Records that the outlet took. */
  readonly pushed: number
  /** Records removed by the outlet's own processors. */
  readonly filtered: number
  /** Records that the outlet's own processors added. */
  readonly added: number
  /** Records lost to an error of this outlet or its processors. */
  readonly dropped: number
  /** Batches that the outlet took. */
  readonly batches: number
  /** Records that the outlet's own buffers hold after the transfer. */
  readonly buffered: number
  /** Dead letters of records that it refused, or that its processors failed on. Absent when there are none. */
  readonly dead?: number
  /** Records that wait for the outlet after the transfer, as it is unavailable. Absent when there are none. */
  readonly waiting?: number
  /** Records of dead letters that it was offered again. Absent when there are none. */
  readonly replayed?: number
}

/**
 * Why a link with `delivery` is blocked: an outlet or inlet is unavailable, or something is refused that may not be dropped.
 * It pulls nothing until that has passed.
 */
export interface Blocked {
  /** The node, processor or grouper that failed, as it names itself. */
  readonly node: string
  readonly stage: Stage
  /** Message of the last failure, and its code where it has one. */
  readonly message: string
  readonly code?: string
  /** Number of tries that failed in succession. */
  readonly attempts: number
  /** Time of the first of them, in milliseconds since 1970. */
  readonly since: number
  /** Time from which on the link is to be tried again, in milliseconds since 1970. */
  readonly retryAt: number
}

/**
 * What one transfer did, as plain data. Counts are of records, times are milliseconds since 1970, lengths of time
 * are milliseconds.
 *
 * Every record is accounted for: `pulled + replayed + added + (buffered before) = filtered + dropped + dead + grouped +
 * (buffered after)`, and each outlet is offered the `grouped` records.
 *
 * When its thread is lost, a transfer that streams has the counts of the rounds that had ended, and any other counts
 * nothing: what became of the records of a round that had begun is not known.
 */
export interface TransferReport {
  /** Name of the link: its id, or else its tags. */
  readonly link: string
  /** The transfer's identity, like `http_to_mongo.16`. */
  readonly update: string
  readonly transferNumber: number
  /** 1, 2, ... for a worker thread, 0 for the main thread. */
  readonly thread: number
  /** Time at which the transfer was due. */
  readonly scheduledAt: number
  /** Time at which it started, in the thread that ran it. */
  readonly startedAt: number
  readonly endedAt: number
  /** Time that the link's nodes and processors held the thread's event loop, as far as calls into them show it. */
  readonly busy: number
  /** Records that the inlets produced. */
  readonly pulled: number
  /** Records removed by the link's processors. */
  readonly filtered: number
  /** Records that the link's processors and groupers added. */
  readonly added: number
  /** Records lost before the outlets: an error, or a grouper that left them out. */
  readonly dropped: number
  /** Records that the link's own buffers hold after the transfer. */
  readonly buffered: number
  /** Dead letters of records that the link's processors or groupers failed on. Absent when there are none. */
  readonly dead?: number
  /** Records of dead letters that went through the link's processors and groupers again. Absent when there are none. */
  readonly replayed?: number
  /** Records offered to the outlets. */
  readonly grouped: number
  /** Batches offered to the outlets. */
  readonly batches: number
  /**
   * Rounds that the transfer began: 1, but for inlets that stream one for each list. 0 when there was none, as an inlet had
   * failed.
   */
  readonly rounds: number
  readonly outlets: readonly OutletReport[]
  /**
   * Time of each stage, in the order of the link: its inlets, processors, groupers and outlets. Empty when nothing is known, as
   * the thread was lost.
   */
  readonly stages: readonly StageTime[]
  readonly errors: readonly ReportedError[]
  /**
   * Whether an error is not to be ignored: there was one, and the link has no `ignoreExceptions`. With `delivery`, an error
   * whose records wait or are dead letters is none.
   */
  readonly failed: boolean
  /** Why the link is blocked after the transfer. Absent when it is not. */
  readonly blocked?: Blocked
  /**
   * Until when the link makes no more transfers, in milliseconds since 1970: it has ended its thread again and again.
   * Absent otherwise.
   */
  readonly quarantinedUntil?: number
}

/** Counts of a transfer that streams, of the rounds that have ended: see {@link TransferReport}. */
export type CountsSoFar = Pick<
  TransferReport,
  | 'startedAt'
  | 'busy'
  | 'pulled'
  | 'filtered'
  | 'added'
  | 'dropped'
  | 'buffered'
  | 'grouped'
  | 'batches'
  | 'rounds'
  | 'outlets'
  | 'dead'
  | 'replayed'
>

/** Fields that identify a transfer in its report. */
export type TransferIdentity = Pick<TransferReport, 'link' | 'update' | 'transferNumber' | 'thread' | 'scheduledAt'>

/**
 * The report of a transfer that could not be made, or whose thread was lost.
 *
 * @param soFar - what its rounds did until then, when it streams
 */
export function failedReport(
  identity: TransferIdentity,
  thrown: unknown,
  ignoreExceptions: boolean,
  soFar?: CountsSoFar,
): TransferReport {
  const now = Date.now()
  return {
    link: identity.link,
    update: identity.update,
    transferNumber: identity.transferNumber,
    thread: identity.thread,
    scheduledAt: identity.scheduledAt,
    startedAt: now,
    endedAt: now,
    busy: 0,
    pulled: 0,
    filtered: 0,
    added: 0,
    dropped: 0,
    buffered: 0,
    grouped: 0,
    batches: 0,
    rounds: 0,
    outlets: [],
    stages: [],
    errors: [{ ...plainError(thrown), node: threadName(identity.thread), stage: 'transfer', ...roundOf(soFar) }],
    failed: !ignoreExceptions,
    ...soFar,
  }
}

/** Whether a report was made in the place of a thread that was lost, or could not be reached. */
export function isOfLostThread({ errors, thread }: Pick<TransferReport, 'errors' | 'thread'>): boolean {
  const [first] = errors
  return first?.stage === 'transfer' && first.node === threadName(thread)
}

function threadName(thread: number): string {
  return `thread ${thread}`
}

function roundOf({ rounds = 0 }: Partial<CountsSoFar> = {}): Pick<ReportedError, 'round'> {
  return rounds === 0 ? {} : { round: rounds }
}

/**
 * Notes on an error which node it came from, and at which stage, as own fields that cross threads with it. What is
 * noted already stays: the innermost node knows best.
 *
 * @returns the error
 */
export function blame(thrown: unknown, node: string, stage: Stage): Error {
  const error = toError(thrown)
  if (!('node' in error) && Object.isExtensible(error)) Object.assign(error, { node, stage })
  return error
}

/** End of the message of a transfer's error that stops its planner. */
const HOW_TO_GO_ON = 'with ignoreExceptions on the planner, or on the link, it would go on'

/** A transfer failed. `report` says what it did; `cause` is the error, or an `AggregateError` of several. */
export class TransferError extends DatabayError {
  static override readonly code = 'DATABAY_TRANSFER_FAILED'

  readonly report: TransferReport

  /** @param options - `stops`: whether it stops its planner, so that the message is to say how to go on */
  constructor(report: TransferReport, options: { readonly stops?: boolean } = {}) {
    const [first] = report.errors
    const where = first === undefined ? '' : `: ${failureText(first)}`
    const more = report.errors.length > 1 ? ` (and ${report.errors.length - 1} more)` : ''
    const causes = report.errors.map(restoreError)
    // an update is called after its link's tags, if it has any
    const { link, update } = report
    const transfer = transferText(update, link)
    const goOn = options.stops === true ? `; ${HOW_TO_GO_ON}` : ''
    super(`transfer ${transfer} failed${where}${more}${goOn}`, {
      cause: causes.length > 1 ? new AggregateError(causes, 'several nodes failed') : causes[0],
    })
    this.report = report
  }
}
