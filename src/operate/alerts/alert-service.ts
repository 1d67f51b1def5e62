import { LONGEST_TIMER } from '../../base/duration.js'
import { getLogger } from '../../base/log.js'
import { linkMatcher, noLinkFits } from '../../core/link-pattern.js'
import type { PlannedLink } from '../../core/planned-link.js'
import type { Blocked, ReportedError, TransferReport } from '../../core/report.js'
import type { PlannerEvents } from '../planner-events.js'
import type { Service, SteeredPlanner } from '../service.js'
import { messageOf, type AlertDetail } from './alert-message.js'
import type { AlertSettings } from './alert-options.js'
import { AlertStates, type AlertKind } from './alert-states.js'
import { Courier } from './courier.js'

/** Time that messages have to be delivered when the planner has shut down, in milliseconds. */
const GRACE = 3000

/** Tells by messages when links of a planner get into trouble, and when they are out of it. */
export function openAlerts(planner: SteeredPlanner, rules: readonly AlertSettings[]): Service {
  const watches = rules.map((rule) => new AlertWatch(planner, rule))
  return {
    started: () => {
      for (const watch of watches) watch.checkPatterns()
    },
    close: async (reason) => {
      await Promise.all(watches.map((watch) => watch.close(reason)))
    },
  }
}

type Listeners = { readonly [event in keyof PlannerEvents]?: (...payload: PlannerEvents[event]) => void }

/** Watches the links of a planner for one receiver of messages. */
class AlertWatch {
  readonly #planner: SteeredPlanner
  readonly #settings: AlertSettings
  readonly #states: AlertStates<AlertDetail>
  readonly #courier: Courier
  readonly #kinds: ReadonlySet<AlertKind>
  /** Whether it is about a link, by the names of links that have been asked for. */
  readonly #isAbout = new Map<string, boolean>()
  #timer: NodeJS.Timeout | undefined
  readonly #listeners: Listeners = {
    transfer: (report) => {
      this.#transfer(report)
    },
    blocked: ({ link, node, stage, message, code, waiting }) => {
      const what =
        waiting === 0 ? 'is blocked' : `is blocked, and ${waiting} ${waiting === 1 ? 'record waits' : 'records wait'}`
      this.#bad('blocked', link, { what, node, stage, message, ...(code !== undefined && { code }) })
    },
    unblocked: ({ link }) => {
      this.#good('blocked', link, true)
    },
    startFailed: ({ link, error }) => {
      this.#bad('notStarted', link, { what: 'could not be started', ...textsOf(error) })
    },
    startRecovered: ({ link }) => {
      this.#good('notStarted', link, true)
    },
    threadLost: ({ culprit, quarantinedUntil, error }) => {
      if (culprit === undefined || quarantinedUntil === undefined) return
      const until = new Date(quarantinedUntil).toISOString()
      this.#bad('quarantined', culprit, {
        what: `has ended its thread again and rests until ${until}`,
        ...textsOf(error),
      })
    },
  }

  constructor(planner: SteeredPlanner, settings: AlertSettings) {
    this.#planner = planner
    this.#settings = settings
    this.#states = new AlertStates(settings)
    this.#courier = new Courier(settings)
    this.#kinds = new Set(settings.on)
    for (const [event, listener] of Object.entries(this.#listeners)) {
      planner.on(event as keyof PlannerEvents, listener as never)
    }
  }

  /** Logs the patterns that no link fits: such a link may be added later, but nobody wants a misspelt one. */
  checkPatterns(): void {
    const { links } = this.#planner
    for (const pattern of this.#settings.links ?? []) {
      if (links.some(linkMatcher(pattern))) continue
      getLogger('databay.alerts').warn(`alerts: links: '${pattern}': ${noLinkFits(pattern, links)}`)
    }
  }

  /** @param reason - error that stopped the planner, if it was one */
  async close(reason: Error | undefined): Promise<void> {
    for (const [event, listener] of Object.entries(this.#listeners)) {
      this.#planner.off(event as keyof PlannerEvents, listener as never)
    }
    if (reason !== undefined) this.#bad('stopped', '', { what: 'was stopped by an error', ...textsOf(reason) })
    clearTimeout(this.#timer)
    this.#tell(true)
    await this.#courier.close(GRACE)
  }

  #transfer(report: TransferReport): void {
    const { link, errors, blocked, startedAt, scheduledAt } = report
    const isLate = startedAt - scheduledAt >= this.#settings.lateness
    // most transfers are of links that never had any trouble
    if (errors.length === 0 && !isLate && !this.#states.knows(link)) return
    if (isLate) this.#bad('late', link, { what: `transferred ${Math.round(startedAt - scheduledAt) / 1000} s late` })
    else this.#good('late', link)
    const [error] = errors
    if (error === undefined) {
      for (const kind of ['failing', 'quarantined', 'deadLetters'] as const) this.#good(kind, link)
      return
    }
    const dead = deadOf(report)
    if (dead > 0) {
      const what = dead === 1 ? 'has a dead letter' : `has ${dead} dead letters`
      // what blocks the link made none of them
      const refusal = errors.find((one) => blocked === undefined || !isSame(one, blocked)) ?? error
      this.#bad('deadLetters', link, { what, ...detailOf(refusal) })
    }
    // that is told on its own
    if (blocked !== undefined) return
    if (dead > 0) this.#good('failing', link)
    else this.#bad('failing', link, { what: failedText(this.#settings.failures), ...detailOf(error) })
  }

  #bad(kind: AlertKind, link: string, detail: AlertDetail): void {
    if (!this.#kinds.has(kind) || !this.#concerns(link)) return
    if (this.#states.bad(kind, link, detail, Date.now())) this.#arm()
  }

  #good(kind: AlertKind, link: string, atOnce = false): void {
    if (this.#states.good(kind, link, Date.now(), atOnce)) this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const { nextAt } = this.#states
    if (nextAt === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#tell(false)
        this.#arm()
      },
      Math.min(LONGEST_TIMER, Math.max(0, nextAt - Date.now())),
    )
    this.#timer.unref()
  }

  #tell(isLast: boolean): void {
    const links = new Map(this.#planner.links.map((link) => [link.name, link]))
    // at the end, the planner has no links of modules any more
    if (!isLast) this.#states.keepOnly((name) => links.has(name))
    this.#isAbout.clear()
    const now = Date.now()
    const changes = this.#states.take(now, isLast)
    if (changes.length === 0) return
    const message = messageOf(changes, (link) => links.get(link)?.tags ?? [], now)
    getLogger('databay.alerts').info(message.text)
    this.#courier.send(message)
  }

  #concerns(link: string): boolean {
    const { links: patterns } = this.#settings
    if (patterns === undefined || link === '') return true
    let isAbout = this.#isAbout.get(link)
    if (isAbout === undefined) {
      const found: PlannedLink | undefined = this.#planner.links.find(({ name }) => name === link)
      isAbout = found !== undefined && patterns.some((pattern) => linkMatcher(pattern)(found))
      this.#isAbout.set(link, isAbout)
    }
    return isAbout
  }
}

function textsOf({ message, ...error }: Error & { readonly code?: unknown }): Pick<AlertDetail, 'message' | 'code'> {
  return typeof error.code === 'string' ? { message, code: error.code } : { message }
}

function deadOf({ dead = 0, outlets }: TransferReport): number {
  return outlets.reduce((sum, outlet) => sum + (outlet.dead ?? 0), dead)
}

function failedText(failures: number): string {
  return failures === 1 ? 'failed' : `failed ${failures} times in a row`
}

function detailOf({ message, code, node, stage }: ReportedError) {
  return { message, node, stage, ...(code !== undefined && { code: String(code) }) }
}

function isSame({ message, node, stage }: ReportedError, blocked: Blocked): boolean {
  return message === blocked.message && node === blocked.node && stage === blocked.stage
}
