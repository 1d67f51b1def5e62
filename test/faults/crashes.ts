import type { WorkerPlannerOptions } from 'databay'
import type { Fault, Place } from './faults.js'
import { EVERY, Run, SLACK, type LinkSpec } from './harness.js'
import { expect, expectNothingWrong, type Outcome, type Scenario } from './scenario.js'

/** Time until the links of a lost thread have to transfer again, beyond an interval, in milliseconds. */
const RECOVERY = 500 * SLACK

interface Crash {
  readonly kind: Fault
  readonly place: Place
  /** Number of links that share the thread with the faulty one. */
  readonly neighbours?: number
  readonly timeout?: LinkSpec['timeout']
  readonly options?: WorkerPlannerOptions
  /** Whether the first loss already shows which link caused it. */
  readonly blamed?: boolean
}

/** Scenario: a link once commits a fault that costs its thread. Its neighbours carry on, other threads do not notice. */
export function crash(name: string, { kind, place, neighbours = 3, timeout, options, blamed = true }: Crash): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      const faulty: LinkSpec = {
        name: 'faulty',
        fault: { kind, place, at: 3 },
        ...(timeout !== undefined && { timeout }),
      }
      const others = Array.from({ length: neighbours * 2 + 1 }, (_, at): LinkSpec => ({ name: `other${at}` }))
      const run = new Run([faulty, ...others], options)
      try {
        await run.planner.start()
        await run.until(() => run.lost.length > 0)
        const [lost] = run.lost
        const at = lost?.at ?? 0
        const hosted = lost?.links ?? []
        expect(hosted.includes('faulty') && hosted.length > 1, 'the thread of the faulty link is lost')
        if (blamed) expect(lost?.culprit === 'faulty', `the faulty link is blamed, not ${lost?.culprit ?? 'nobody'}`)
        const times = await Promise.all(hosted.map((link) => run.fresh(link, at)))
        const recovery = Math.max(...times)
        expect(
          recovery <= EVERY + RECOVERY,
          `all ${hosted.length} links transfer again within an interval and ${RECOVERY} ms: it took ${recovery} ms`,
        )
        const elsewhere = others.map((spec) => spec.name).filter((link) => !hosted.includes(link))
        for (const link of elsewhere) {
          expect(
            run.reportsOf(link).every(({ errors }) => errors.length === 0),
            `${link} in the other thread has not noticed`,
          )
        }
        const hit = run.reports.filter(({ errors }) => errors.length > 0)
        expect(
          hit.every(({ errors }) => errors.every(({ code }) => code === 'DATABAY_THREAD_LOST')),
          'what failed says that the thread was lost',
        )
        await run.end()
        expectNothingWrong(run.judge())
        return {
          held: `${hit.length} of ${run.reports.length} transfers failed, ${hosted.length} links reopened`,
          recovery,
        }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** Scenario: a link commits a fault that costs nothing but its transfer. */
export function failure(name: string, kind: Fault, place: Place, timeout?: LinkSpec['timeout']): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      const faulty: LinkSpec = {
        name: 'faulty',
        fault: { kind, place, at: 3 },
        ...(timeout !== undefined && { timeout }),
      }
      const run = new Run([faulty, { name: 'other0' }, { name: 'other1' }])
      try {
        await run.planner.start()
        await run.until(() => run.reportsOf('faulty').some(({ transferNumber }) => transferNumber === 3))
        const report = run.reportsOf('faulty').find(({ transferNumber }) => transferNumber === 3)
        const recovery = await run.fresh('faulty', report?.endedAt ?? 0)
        expect(run.lost.length === 0, 'no thread is lost')
        const failed = run.reports.filter(({ errors }) => errors.length > 0)
        expect(failed.length <= 1, 'no other transfer fails')
        await run.end()
        expectNothingWrong(run.judge())
        const [error] = report?.errors ?? []
        return { held: error === undefined ? 'taken as a payload' : `reported: ${error.message}`, recovery }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** Scenario: a link ends its thread at every transfer. It is kept away longer each time, and its neighbour transfers. */
export function crashLoop(name: string, kind: Fault): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      const faulty: LinkSpec = { name: 'faulty', fault: { kind, place: 'process', at: 3, again: true } }
      const run = new Run([faulty, { name: 'neighbour' }], { threads: 1 })
      try {
        await run.planner.start()
        await run.until(() => run.lost.some(({ quarantinedUntil }) => quarantinedUntil !== undefined))
        const first = run.lost.findIndex(({ quarantinedUntil }) => quarantinedUntil !== undefined)
        const event = run.lost[first]
        expect(event?.culprit === 'faulty', 'the faulty link is quarantined, and nobody else')
        await run.until(() => run.lost.length >= first + 3)
        const pauses = run.lost
          .slice(first)
          .map(({ at, quarantinedUntil }) => Math.round(((quarantinedUntil ?? at) - at) / 1000))
        expect(pauses.slice(0, 3).join() === '1,2,4', `it is kept away for 1, 2 and 4 seconds, not ${pauses.join()}`)
        expect(
          run.skipped.some(({ link, reason }) => link === 'faulty' && reason === 'quarantined'),
          'its due times are told as skipped',
        )
        expect(
          run.skipped.every(({ link, reason }) => reason !== 'quarantined' || link === 'faulty'),
          'nobody else is quarantined',
        )
        await run.fresh('neighbour', run.lost.at(-1)?.at ?? 0)
        await run.end()
        expectNothingWrong(run.judge())
        return {
          held: `quarantined after ${first + 1} losses, for 1, 2, 4 s; its neighbour made ${run.reportsOf('neighbour').length} transfers`,
        }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** Scenario: many transfers of a link wait in the thread that it ends. They do not end thread after thread. */
export const crashOfMany: Scenario = {
  name: 'crash with 20 transfers of the link waiting',
  async run() {
    const fault = { kind: 'exit', place: 'pull', at: 0, again: true } as const
    const run = new Run([{ name: 'faulty', fault, maxInstances: 20, every: 3_600_000 }, { name: 'neighbour' }], {
      threads: 1,
    })
    try {
      await run.planner.start()
      const faulty = run.planner.links.find(({ name }) => name === 'faulty')
      const forced = Array.from({ length: 20 }, () => run.planner.forceTransfer(faulty))
      const reports = (await Promise.all(forced)).flat()
      expect(reports.length === 20 && reports.every(({ errors }) => errors.length === 1), 'all of them fail')
      const recovery = await run.fresh('neighbour', Date.now())
      expect(run.lost.length === 3, `the link is quarantined at the third loss: there are ${run.lost.length}`)
      expect(run.lost.at(-1)?.quarantinedUntil !== undefined, 'which the event says')
      await run.end()
      expectNothingWrong(run.judge())
      return { held: 'quarantined after 3 losses, and the others of its transfers failed', recovery }
    } finally {
      await run.end()
      run.forget()
    }
  },
}

/** Scenario: code that a link left behind ends its thread while another link waits there, which is not blamed. */
export const crashBesideOneThatWaits: Scenario = {
  name: 'crash loop by late throws beside a link that waits',
  async run() {
    const fault = { kind: 'lateThrow', place: 'push', at: 1, again: true } as const
    const run = new Run(
      [
        { name: 'faulty', fault },
        { name: 'waits', pulls: 3_600_000 },
      ],
      { threads: 1, shutdownTimeout: 1 },
    )
    try {
      await run.planner.start()
      await run.until(() => run.lost.filter(({ quarantinedUntil }) => quarantinedUntil !== undefined).length >= 2)
      const quarantined = new Set(
        run.lost.flatMap(({ culprit, quarantinedUntil }) => (quarantinedUntil === undefined ? [] : [culprit])),
      )
      expect([...quarantined].join() === 'faulty', `the faulty link is quarantined, and not ${[...quarantined].join()}`)
      const sure = run.lost.slice(1).every(({ culprit }) => culprit === 'faulty')
      expect(sure, 'from the second loss on it is known who did it')
      return { held: `quarantined after ${run.lost.length - 1} losses, and not the link that waits` }
    } finally {
      await run.end()
      run.forget()
    }
  },
}
