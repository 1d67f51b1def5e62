import { importLater } from '../base/libraries.js'
import { throwAny } from '../base/many-errors.js'
import { UndoStack } from '../base/undo-stack.js'
import type { HttpEndpoint, Service, SteeredPlanner } from '../operate/service.js'
import type { ResolvedPlannerOptions } from './planner-options.js'

const importHttp = () => import('../operate/http/http-service.js')
const importAlerts = () => import('../operate/alerts/alert-service.js')
const importControl = () => import('../operate/control/control.js')

const importTelemetry = () => import('../operate/telemetry/telemetry.js')

/** Opens a service of a planner, if its options ask for it. */
type OpenService = (planner: SteeredPlanner, options: ResolvedPlannerOptions) => Promise<Service> | undefined

/** The services that there are. Each is loaded at its first use. */
const SERVICES: readonly OpenService[] = [
  // first, so that it tells how the others come up
  (planner, { http }) => http && importLater(importHttp).then(({ openHttp }) => openHttp(planner, http)),
  (planner, { alerts }) =>
    alerts.length === 0 ? undefined : importLater(importAlerts).then(({ openAlerts }) => openAlerts(planner, alerts)),
  (planner, { control, store }) => {
    if (control === false) return undefined
    return importLater(importControl).then(({ openControl }) => openControl(planner, control, store))
  },
  (planner, { telemetry }) => {
    if (!telemetry) return undefined
    return importLater(importTelemetry).then(({ openTelemetry }) => openTelemetry(planner))
  },
]

/** The services of a planner: what watches it, tells of it and steers it while it runs. */
export class PlannerServices {
  readonly #planner: SteeredPlanner
  readonly #options: ResolvedPlannerOptions
  #undo = new UndoStack()
  #open: Service[] = []
  #reason: Error | undefined
  #http: HttpEndpoint | undefined

  constructor(planner: SteeredPlanner, options: ResolvedPlannerOptions) {
    this.#planner = planner
    this.#options = options
  }

  /** Where metrics and probes are served; `undefined` while they are not. */
  get http(): HttpEndpoint | undefined {
    return this.#http
  }

  /**
   * Opens the services that the options ask for, one after the other. {@link PlannerServices.close} closes those that were
   * opened, also when another failed.
   */
  open(): Promise<void> | undefined {
    this.#undo = new UndoStack()
    this.#open = []
    let opening: Promise<void> | undefined
    for (const open of SERVICES) {
      const next = () => open(this.#planner, this.#options)
      const service = opening === undefined ? next() : opening.then(next)
      // a planner without services starts at once
      if (service !== undefined) opening = this.#take(service)
    }
    return opening
  }

  async #take(opening: Promise<Service | undefined>): Promise<void> {
    const service = await opening
    if (service === undefined) return
    this.#http ??= service.endpoint
    this.#open.push(service)
    this.#undo.push(() => service.close(this.#reason))
  }

  /** Tells the services that all links of the planner are known. */
  started(): void {
    for (const service of this.#open) service.started?.()
  }

  /**
   * Closes the services, the last one first.
   *
   * @param reason - error that stopped the planner, or kept it from starting
   */
  async close(reason: Error | undefined): Promise<void> {
    this.#reason = reason
    this.#http = undefined
    throwAny(await this.#undo.undo(), 'several services failed to close')
  }
}
