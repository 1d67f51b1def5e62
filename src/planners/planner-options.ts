import { checkPath } from '../base/check.js'
import type { Duration } from '../base/duration.js'
import { InvalidOptionError } from '../base/errors.js'
import type { OneOrMany } from '../base/one-or-many.js'
import { readAlerts, type AlertOptions } from '../operate/alerts/alert-options.js'
import { readHttpAddress } from '../operate/http/address.js'
import type { Signal } from '../base/node-types.js'
import { count, custom, flag, path, resolveOptions, seconds, time, type Resolved, type Spec } from '../base/options.js'

/** Options that every planner takes. */
export interface PlannerOptions {
  /**
   * Whether a failed transfer is logged and counted only, rather than stopping the planner.
   * @default false
   */
  readonly ignoreExceptions?: boolean
  /**
   * Whether links transfer once upon starting, without waiting for their interval. Links that have `immediateTransfer: false`
   * do not, and those with `cron` or `alignToClock` only when they have `immediateTransfer: true`. `start()` rejects when such a transfer fails.
   * @default true
   */
  readonly immediateTransfer?: boolean
  /**
   * Whether the planner shuts down by itself when the process is told to end (SIGINT, SIGTERM, SIGHUP) or has nothing else
   * left to do. Further signals within a second are the same wish; a later one ends the process at once.
   * @default false
   */
  readonly shutdownAtExit?: boolean
  /**
   * Number of transfers that each link makes before it is scheduled no more. When all links have made theirs, the planner
   * shuts down.
   * @default Infinity
   */
  readonly transfers?: number
  /**
   * Lateness from which on a transfer is reported as late, in seconds. A transfer that starts so late that further due times
   * have passed is always reported.
   * @default 1
   */
  readonly lateAfter?: number
  /**
   * Whether buffers release what they hold through the outlets when the planner shuts down.
   * @default true
   */
  readonly drain?: boolean
  /**
   * Time that a link may take to start, and a link module to load, in seconds or as a duration; `Infinity` for ever.
   * `start()` rejects with a {@link StartTimeoutError} when one takes longer.
   * @default 60
   */
  readonly startTimeout?: number | Duration
  /**
   * Time that a shutdown may take in all, in seconds or as a duration; `Infinity` for ever. Transfers that still run shortly
   * before its end are told to stop. What has not ended by then is abandoned, and `shutdown()` rejects with a
   * {@link ShutdownTimeoutError} that says what.
   * @default 60
   */
  readonly shutdownTimeout?: number | Duration
  /**
   * Time that code has to end once its transfer is told to stop, in seconds or as a duration. It is for a pull that streams,
   * and for `onLastRound` of an outlet, which are not waited for any longer. It is also the time that a transfer may hold up
   * its thread beyond its link's `timeout`: a thread that does not answer by then is ended, and another takes its place.
   * @default 1
   */
  readonly timeoutGrace?: number | Duration
  /**
   * Folder of the store, in which links with `delivery` keep what must survive a crash. It is made where there is none. One
   * process at a time owns it, from the start to the shutdown.
   * @default undefined - none: durable links do not start
   */
  readonly store?: string
  /**
   * Unix socket by which `databay status`, `force`, `pause` and `resume` reach this planner: `true` for one in the folder of the
   * store, or else in that of temporary files, or the path of one. Only the user of the process can open it. There is none on
   * Windows. With `true`, a planner for which none can be made says so and runs all the same.
   * @default false
   */
  readonly control?: string | boolean
  /**
   * Who is told, by a webhook, a command or a function, when links get into trouble, and when they are out of it: one, or a list.
   * @default undefined - nobody
   */
  readonly alerts?: OneOrMany<AlertOptions>
  /**
   * Address at which metrics for Prometheus and probes are served by HTTP, from the beginning of the start to the end of the
   * shutdown: `/metrics`, `/healthz` and `/readyz`. A port, an address such as `'127.0.0.1:9464'`, `':9464'` for all interfaces,
   * or `true` for `127.0.0.1:9464`. With port 0, `planner.http` tells which one it is.
   * @default undefined - none
   */
  readonly http?: string | number | boolean
  /**
   * Whether transfers make spans, and `stats()` metrics, for the OpenTelemetry SDK that the program has registered, in threads by
   * `threadSetup`. Needs the package `@opentelemetry/api`: without it, `start()` rejects with a {@link MissingDependencyError}.
   * @default false
   */
  readonly telemetry?: boolean
}

/** The options of every planner: how each is read, and its default. */
export const PLANNER_OPTIONS = {
  ignoreExceptions: flag(false),
  immediateTransfer: flag(true),
  shutdownAtExit: flag(false),
  transfers: count(Infinity, { orInfinity: true }),
  lateAfter: seconds(1000),
  drain: flag(true),
  startTimeout: time(60_000),
  shutdownTimeout: time(60_000),
  timeoutGrace: time(1000),
  store: path('undefined - none: durable links do not start'),
  control: {
    ...custom((name, value: string | boolean | undefined = false) => {
      if (typeof value === 'boolean') return value
      return checkPath(name, value)
    }, 'false'),
    isPath: true,
  },
  alerts: custom(readAlerts, 'undefined - nobody'),
  http: custom(readHttpAddress, 'undefined - none'),
  telemetry: flag(false),
} satisfies Spec<PlannerOptions>

/** {@link PlannerOptions}, checked and complete. Lengths of time are in milliseconds. */
export type ResolvedPlannerOptions = Resolved<typeof PLANNER_OPTIONS>

/**
 * Reads the options that every planner takes.
 *
 * @param others - names of the options that a planner takes beside these
 * @throws {@link InvalidOptionError}
 */
export function resolvePlannerOptions(options: PlannerOptions, others: readonly string[] = []): ResolvedPlannerOptions {
  return Object.freeze(resolveOptions(undefined, options, PLANNER_OPTIONS, others))
}

/** Options of a planner's `start()`. */
export interface StartOptions {
  /**
   * Signal that stops the planner, as `shutdown()` does: a start that is under way rejects with its reason, a planner that runs
   * shuts down in order.
   * @default undefined - none
   */
  readonly signal?: Signal
}

const START_OPTIONS = {
  signal: custom((name, value: Signal | undefined) => {
    if (value === undefined || (value as unknown) instanceof AbortSignal) return value
    throw new InvalidOptionError(name, 'an AbortSignal', value)
  }),
} satisfies Spec<StartOptions>

/** @throws {@link InvalidOptionError} */
export function resolveStartOptions(options: StartOptions): { readonly signal: Signal | undefined } {
  return resolveOptions(undefined, options, START_OPTIONS)
}

/** Options of a planner's `shutdown()`. */
export interface ShutdownOptions {
  /**
   * Whether running transfers may end. Otherwise they are told to stop: `update.signal` aborts.
   * @default true
   */
  readonly wait?: boolean
  /**
   * Whether buffers release what they hold through the outlets. Otherwise the number of records that they hold is logged.
   * With `wait: false`, they have a second for it.
   * @default the planner's option `drain`
   */
  readonly drain?: boolean
}

const SHUTDOWN_OPTIONS = {
  wait: flag(true),
  drain: custom((name, value: boolean | undefined) => {
    if (value === undefined || typeof value === 'boolean') return value
    throw new InvalidOptionError(name, 'a boolean', value)
  }),
} satisfies Spec<ShutdownOptions>

/** @throws {@link InvalidOptionError} */
export function resolveShutdownOptions(options: ShutdownOptions): Resolved<typeof SHUTDOWN_OPTIONS> {
  return resolveOptions(undefined, options, SHUTDOWN_OPTIONS)
}
