import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import process from 'node:process'
import type { PlannerCounts } from '../planner-events.js'
import { readinessOf } from '../readiness.js'
import type { SteeredPlanner } from '../service.js'

/** State of a process that runs a planner. Times are in milliseconds since 1970. */
export interface ProcessStatus {
  readonly pid: number
  readonly host: string
  /** Version of this package, and of Node. */
  readonly version: string
  readonly node: string
  /** Path of the socket. */
  readonly socket: string
  /** Time at which the planner began to start. */
  readonly startedAt: number
  /** URLs of the link modules; empty for a planner of live links. */
  readonly modules: readonly string[]
  readonly state: 'starting' | 'running' | 'stopping'
  /** Whether the planner is ready, as `/readyz` says it. */
  readonly ready: boolean
  /** Whether the planner as a whole is paused. */
  readonly paused: boolean
  /** Number of worker threads; 0 for a planner without. */
  readonly threads: number
  readonly links: number
  readonly counts: PlannerCounts
}

/** What there is to tell of this process and its planner. */
export function processStatus(planner: SteeredPlanner, socket: string, startedAt: number): ProcessStatus {
  const { state, paused, threads = 0, modules = [], counts } = planner
  return {
    pid: process.pid,
    host: hostname(),
    version: versionOfPackage(),
    node: process.version,
    socket,
    startedAt,
    modules,
    state: state === 'idle' ? 'stopping' : state,
    ready: readinessOf(planner).ready,
    paused,
    threads,
    links: planner.links.length,
    counts,
  }
}

let version: string | undefined

function versionOfPackage(): string {
  try {
    version ??= (createRequire(import.meta.url)('databay/package.json') as { readonly version: string }).version
  } catch {
    version = 'unknown' // it is in a bundle
  }
  return version
}
