/** The public face of planners: what compiles, and what must not. */
import { on, once } from 'node:events'
import {
  BasePlanner,
  SchedulePlanner,
  WorkerPlanner,
  type LateEvent,
  type PlannedLink,
  type PlannerEvents,
  type PlannerListener,
  type ThreadPool,
} from '../../src/index.js'

const planner = new WorkerPlanner([], { threads: 2 })

// --- threads

export const squares = planner.pool.processor('./squares.js', { export: 'squares', chunk: 10 })
export const face: keyof ThreadPool = 'processor'
// @ts-expect-error nothing public ends the threads
export const destroyed: keyof ThreadPool = 'destroy'
// @ts-expect-error nor shows them
export const shown: keyof ThreadPool = 'threads'
// @ts-expect-error nor changes their number
export const resized: keyof ThreadPool = 'resize'

// --- constructors

// @ts-expect-error a planner takes no clock
new WorkerPlanner([], {}, { now: () => 0, monotonic: () => 0, arm: () => () => undefined })
// @ts-expect-error nor does this one
new SchedulePlanner([], {}, { now: () => 0, monotonic: () => 0, arm: () => () => undefined })
// @ts-expect-error an option that there is not
new WorkerPlanner([], { dryRun: true })

// --- scheduling of a third party

export class Own extends BasePlanner {
  protected schedule(link: PlannedLink): void {
    void this.dispatch(link)
  }
  protected unschedule(): void {}
  protected startPlanner(): void {}
  protected async shutdownPlanner(): Promise<void> {}
}
// @ts-expect-error a planner must know how to stop its scheduling
export class Endless extends BasePlanner {
  protected schedule(): void {}
  protected unschedule(): void {}
  protected startPlanner(): void {}
}
// any planner is a BasePlanner
export const planners: BasePlanner[] = [planner, new SchedulePlanner(), new Own()]

// --- events

export type Lost = PlannerEvents['threadLost'][0]['culprit']
planner.on('late', ({ lateness }) => lateness.toFixed())
planner.once('transfer', async ({ update }) => Promise.resolve(update))
// a listener of any event
const note: PlannerListener<keyof PlannerEvents> = (event) => JSON.stringify(event)
for (const name of ['late', 'skipped'] as const) planner.on(name, (event) => event.link.length)
export const noted = [note, planner.listenerCount('late'), planner.off('late', note)]
// @ts-expect-error an event that there is not: did you mean 'transfer'?
planner.on('transfered', () => undefined)
// @ts-expect-error nor can it be waited for
planner.once('finished', () => undefined)
// @ts-expect-error nor is it ever to be taken off
planner.off('lost', () => undefined)
// @ts-expect-error the payload of `late` has no such field
planner.on('late', ({ delay }) => delay)
// @ts-expect-error a listener of another event
planner.on('transfer', (event: LateEvent) => event.link)
// helpers of Node take a planner for an emitter
export const next = [once(planner, 'transfer'), on(planner, 'late')]
