import { checkName } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, resolveOptions, word, type Resolved, type Spec } from '../../base/options.js'
import type { TransferReport } from '../../core/report.js'
import { ControlError } from './errors.js'
import type { LinkStatus } from './link-status.js'
import type { ProcessStatus } from './process-status.js'

/*
 * The protocol of the control socket, version 1.
 *
 * A client connects, sends one request, reads the answers until the server ends the connection, and is done: one request
 * for each connection. Both are lines of JSON in UTF-8, each an object with its line end.
 *
 *   client: {"databay":1,"action":"force","links":["orders"],"by":{"pid":4711,"user":"ada"}}
 *   server: {"type":"begun","links":["orders"]}
 *   server: {"type":"transfer","link":"orders","report":{...}}
 *   server: {"type":"done","begun":1,"made":1,"failed":0,"skipped":0}
 *
 * What a request asks for is checked as a whole before any of it is done. One that is refused gets a single answer, of
 * type `error`, and has changed nothing. A connection that is ended without an answer was one too many, or took too long.
 */

/** Version of the protocol. A server answers requests of its own version only. */
export const PROTOCOL = 1

/** Most bytes of a request. */
export const MOST_BYTES = 64 * 1024

/** What a process can be asked to do. */
export const ACTIONS = ['hello', 'status', 'force', 'pause', 'resume'] as const
export type ControlAction = (typeof ACTIONS)[number]

/** Request of a client. */
export interface ControlRequest {
  /** Version of the protocol. */
  readonly databay: number
  readonly action: ControlAction
  /** Ids of links. A live link without an id goes by its name. */
  readonly links?: readonly string[]
  /** Tags of links. */
  readonly tags?: readonly string[]
  /**
   * Whether all links are meant. For `pause` and `resume`, the planner is meant when neither links nor tags are named;
   * with this, `resume` resumes links that were paused by themselves, too.
   */
  readonly all?: boolean
  /** Whether `force` waits for the transfers, and answers as each ends. */
  readonly wait?: boolean
  /** Who asks, for the log. Nobody checks it: whoever can open the socket may do all that it offers. */
  readonly by?: { readonly pid: number; readonly user: string }
}

/** Answer of a server. */
export type ControlAnswer =
  | { readonly type: 'hello'; readonly process: ProcessStatus }
  | { readonly type: 'status'; readonly process: ProcessStatus; readonly links: readonly LinkStatus[] }
  /** Transfers have begun: the first answer to `force`. */
  | { readonly type: 'begun'; readonly links: readonly string[] }
  /** A transfer that was asked for has ended. */
  | { readonly type: 'transfer'; readonly link: string; readonly report: TransferReport }
  /** A transfer that was asked for could not be made. */
  | { readonly type: 'skipped'; readonly link: string; readonly reason: string }
  /** All that `force` was asked for is done; without `wait`, it has begun. */
  | {
      readonly type: 'done'
      readonly begun: number
      readonly made: number
      readonly failed: number
      readonly skipped: number
    }
  | PauseAnswer
  | { readonly type: 'error'; readonly code: string; readonly message: string }

/** What `pause` or `resume` came to. */
export interface PauseAnswer {
  readonly type: 'paused' | 'resumed'
  /** Whether the planner as a whole was paused or resumed; absent when only links were meant. */
  readonly planner?: 'changed' | 'unchanged'
  /** Names of links that were paused or resumed. */
  readonly changed: readonly string[]
  /** Names of links that had been before. */
  readonly unchanged: readonly string[]
  /** Names of links that stay paused, as they were paused by themselves. */
  readonly stillPaused: readonly string[]
}

const names = custom((option, value: unknown): readonly string[] => {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new InvalidOptionError(option, 'a list of names', value)
  return value.map((name: unknown) => {
    if (typeof name !== 'string') throw new InvalidOptionError(option, 'a list of names', value)
    return name
  })
})

const REQUEST = {
  databay: custom((_, value: number | undefined) => value ?? 0),
  action: word(ACTIONS, 'hello'),
  links: names,
  tags: names,
  all: flag(false),
  wait: flag(true),
  by: custom((option, value: unknown) => {
    if (value === undefined) return undefined
    const { pid, user } = (value ?? {}) as { readonly pid?: unknown; readonly user?: unknown }
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid))
      throw new InvalidOptionError(`${option}.pid`, 'a number', pid)
    return { pid, user: checkName(`${option}.user`, user as string) ?? '?' }
  }),
} satisfies Spec<ControlRequest>

/** A request, checked and complete. */
export type CheckedRequest = Resolved<typeof REQUEST>

/**
 * Reads the line of a request.
 *
 * @throws {@link InvalidOptionError} naming what is wrong; {@link ControlError} when it is no request of this version
 */
export function readRequest(line: string): CheckedRequest {
  let request: unknown
  try {
    request = JSON.parse(line)
  } catch {
    throw new ControlError('a request is one line of JSON')
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request) || !('databay' in request))
    throw new ControlError(`a request is an object such as {"databay":${PROTOCOL},"action":"status"}`)
  if (request.databay !== PROTOCOL)
    throw new ControlError(`this process speaks version ${PROTOCOL} of the protocol, the request is of another`)
  return resolveOptions('request', request, REQUEST)
}

/** A request or an answer as a line. */
export function protocolLine(message: ControlRequest | ControlAnswer): string {
  return `${JSON.stringify(message)}\n`
}
