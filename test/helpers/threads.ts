import { spawn } from 'node:child_process'
import type { Test } from 'tap'
import { Link } from '../../src/core/link.js'
import { ActInlet, TraceOutlet } from '../fixtures/nodes.js'
import type { LinkSpec } from '../fixtures/links.js'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'
import type { LinkOrModule } from '../../src/planners/planner-modules.js'
import type { WorkerPlannerOptions } from '../../src/planners/worker-planner-options.js'
import type { TransferReport } from '../../src/core/report.js'
import { MEASURED } from './command.js'
import type { captureLogs } from './logs.js'

/** URL of a file in test/fixtures. */
export function fixture(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url)
}

/** URL of a link module with these links, as one list. Other links make another module. */
export function linkModule(...links: LinkSpec[]): URL {
  const url = fixture('links.ts')
  url.searchParams.set('links', JSON.stringify(links))
  return url
}

/** Has coverage measured in the threads of this file, too. They start more slowly then, so few files do it. */
export function measureThreads(): void {
  Object.assign(process.env, MEASURED)
}

/** Makes a link that lives on the main thread. */
export function liveLink(tags: string): Link {
  return new Link({ inlets: new ActInlet(tags, ['count']), outlets: new TraceOutlet(tags), interval: 1000, tags })
}

/** Lets nodes go on that wait at a gate in a thread: their trace `… waits` must have been seen. */
export function openGate(name: string): void {
  const channel = new BroadcastChannel(`gate ${name}`)
  channel.postMessage('open')
  channel.close()
}

/** Makes a planner of two threads that makes no first transfers, and is shut down when the test ends. */
export function workerPlanner(t: Test, links: LinkOrModule | LinkOrModule[], options: WorkerPlannerOptions = {}) {
  const planner = new WorkerPlanner(links, { threads: 2, immediateTransfer: false, ...options })
  planner.finished.catch(() => undefined)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  return planner
}

/** Traces of the fixture's nodes, in order. */
export function tracesOf({ entries }: ReturnType<typeof captureLogs>): string[] {
  return entries().flatMap(({ name, msg }) => (name === 'databay.trace' ? [msg] : []))
}

/** Waits until `what` gives true: it is called again and again. */
export async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Payloads that a link's outlet was given, according to the traces. */
export function pushedTo(tags: string, traces: readonly string[]): unknown[] {
  const start = `${tags} gets `
  return traces
    .filter((text) => text.startsWith(start))
    .flatMap((text) => JSON.parse(text.slice(start.length)) as unknown[])
}

/** Reports of a planner: the list grows as they come. */
export function reportsOf(planner: WorkerPlanner): TransferReport[] {
  const reports: TransferReport[] = []
  planner.on('transfer', (report) => reports.push(report))
  return reports
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program in a Node process of its own, and waits until that ends. */
export function runNode(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, ...texts })
    })
    t.teardown(() => child.kill('SIGKILL'))
  })
}
