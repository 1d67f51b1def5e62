import { InvalidOptionError, PlannerStateError, toError } from '../../base/errors.js'
import { scrub } from '../../base/scrub.js'
import { LinkSelection } from '../../core/link-selection.js'
import type { PlannedLink } from '../../core/planned-link.js'
import type { SkippedEvent } from '../planner-events.js'
import type { SteeredPlanner } from '../service.js'
import { logAction } from './control-log.js'
import { linkStatus } from './link-status.js'
import { processStatus } from './process-status.js'
import type { CheckedRequest, ControlAnswer } from './protocol.js'

/** Does what requests ask of a planner. */
export class Steering {
  readonly #planner: SteeredPlanner
  readonly #socket: string
  readonly #startedAt: number

  /**
   * @param socket - path of the socket
   * @param startedAt - time at which the planner began to start, in milliseconds since 1970
   */
  constructor(planner: SteeredPlanner, socket: string, startedAt = Date.now()) {
    this.#planner = planner
    this.#socket = socket
    this.#startedAt = startedAt
  }

  /**
   * Does what a request asks for.
   *
   * @param answer - called with each answer
   * @throws {@link InvalidOptionError} when it names a link or tag that there is not, or no link where one is needed;
   * {@link PlannerStateError} when the planner does not run. Nothing is done then
   */
  async do(request: CheckedRequest, answer: (answer: ControlAnswer) => void): Promise<void> {
    switch (request.action) {
      case 'hello':
        answer({ type: 'hello', process: this.#process() })
        return
      case 'status':
        this.#status(request, answer)
        return
      case 'force':
        return this.#force(request, answer)
      case 'pause':
      case 'resume':
        this.#pause(request, answer)
    }
  }

  #process() {
    return processStatus(this.#planner, this.#socket, this.#startedAt)
  }

  #status(request: CheckedRequest, answer: (answer: ControlAnswer) => void): void {
    const selected = new Set(this.#selected(request))
    const now = Date.now()
    const { links } = this.#planner
    const shown = this.#planner.stats().links.filter((_, at) => {
      const link = links[at]
      return link === undefined || selected.has(link)
    })
    answer({
      type: 'status',
      process: this.#process(),
      links: shown.map((stats) => linkStatus(stats, now, this.#planner.paused)),
    })
  }

  async #force(request: CheckedRequest, answer: (answer: ControlAnswer) => void): Promise<void> {
    if (!namesLinks(request) && !request.all)
      throw new InvalidOptionError('force', 'links, tags or all', 'none', {
        hint: 'name the links that are to transfer',
      })
    this.#checkRunning('make a transfer')
    const links = this.#selected(request)
    logAction('has forced a transfer of', namesOf(links), request.by)
    answer({ type: 'begun', links: namesOf(links) })
    const sums = { made: 0, failed: 0, skipped: 0 }
    const reasons = new Map<string, SkippedEvent['reason']>()
    const onSkipped = ({ link, reason }: SkippedEvent) => reasons.set(link, reason)
    // skipped ones are told within the calls
    this.#planner.on('skipped', onSkipped)
    const transfers = links.map(async (link) => {
      try {
        const [report] = await this.#planner.forceTransfer(link)
        if (report === undefined) {
          sums.skipped++
          answer({ type: 'skipped', link: link.name, reason: skippedFor(reasons.get(link.name)) })
          return
        }
        sums.made++
        if (report.failed || report.blocked !== undefined) sums.failed++
        answer({ type: 'transfer', link: link.name, report })
      } catch (thrown) {
        sums.skipped++
        answer({ type: 'skipped', link: link.name, reason: scrub(toError(thrown).message) })
      }
    })
    const all = Promise.all(transfers)
    this.#planner.off('skipped', onSkipped)
    if (request.wait) await all
    answer({ type: 'done', begun: links.length, ...sums })
  }

  #pause(request: CheckedRequest, answer: (answer: ControlAnswer) => void): void {
    const pauses = request.action === 'pause'
    this.#checkRunning(pauses ? 'be paused' : 'be resumed')
    const named = this.#selected(request)
    const ofPlanner = !namesLinks(request)
    const paused = this.#pausedLinks()
    // with all, links that were paused by themselves are resumed with the planner
    const meant = !ofPlanner ? named : !pauses && request.all ? named.filter((link) => paused.has(link)) : []
    const changing = meant.filter((link) => paused.has(link) !== pauses)
    const isPlannerChanging = ofPlanner && this.#planner.paused !== pauses
    if (isPlannerChanging) {
      if (pauses) this.#planner.pause()
      else this.#planner.resume()
    }
    if (changing.length > 0) {
      if (pauses) this.#planner.pause(changing)
      else this.#planner.resume(changing)
    }
    const what = pauses ? 'paused' : 'resumed'
    if (isPlannerChanging) logAction(`has ${what} the planner`, [], request.by)
    if (changing.length > 0) logAction(`has ${what}`, namesOf(changing), request.by)
    answer({
      type: what,
      ...(ofPlanner && { planner: isPlannerChanging ? 'changed' : 'unchanged' }),
      changed: namesOf(changing),
      unchanged: namesOf(meant.filter((link) => !changing.includes(link))),
      stillPaused: ofPlanner && !pauses ? namesOf([...this.#pausedLinks()]) : [],
    })
  }

  /** Links that a request is about: all when it names none. */
  #selected({ links, tags }: CheckedRequest): PlannedLink[] {
    const selection = new LinkSelection(links, tags)
    const all = this.#planner.links
    if (links.length + tags.length === 0) return all
    // a live link may have no id
    const known = all.map(({ id, name, tags }) => ({ id: id ?? name, tags }))
    selection.check(known)
    return all.filter((_, at) => selection.has(known[at] ?? { tags: [] }))
  }

  #pausedLinks(): Set<PlannedLink> {
    const { links } = this.#planner
    return new Set(this.#planner.stats().links.flatMap(({ paused }, at) => (paused ? (links[at] ?? []) : [])))
  }

  #checkRunning(what: string): void {
    const { state } = this.#planner
    if (state === 'running') return
    const now = state === 'starting' ? 'is starting' : 'is stopping'
    throw new PlannerStateError(`the planner ${now}, and cannot ${what}`)
  }
}

function namesLinks({ links, tags }: CheckedRequest): boolean {
  return links.length > 0 || tags.length > 0
}

function namesOf(links: readonly PlannedLink[]): string[] {
  return links.map(({ name }) => name)
}

const REASONS: { readonly [reason in SkippedEvent['reason']]?: string } = {
  running: 'as many of its transfers run as may at once',
  quarantined: 'it is quarantined, as it has ended its thread again and again',
  starting: 'it is not started',
}

function skippedFor(reason: SkippedEvent['reason'] | undefined): string {
  return (reason && REASONS[reason]) ?? reason ?? 'the planner is stopping'
}
