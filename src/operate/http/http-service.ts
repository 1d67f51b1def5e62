import { getRequestListener } from '@hono/node-server'
import { getLogger } from '../../base/log.js'
import { Repeats } from '../../base/repeats.js'
import type { ObservedPlanner, Service } from '../service.js'
import type { HttpAddress } from './address.js'
import { makeApp } from './app.js'
import { Exposition } from './exposition.js'
import { HttpListener } from './listener.js'
import { PlannerMetrics } from './planner-metrics.js'
import { ProcessMetrics } from './process-metrics.js'
import { readinessOf } from '../readiness.js'

/**
 * Serves the metrics and probes of a planner.
 *
 * @throws {@link HttpListenError}
 */
export async function openHttp(planner: ObservedPlanner, address: HttpAddress): Promise<Service> {
  const repeats = new Repeats()
  const failed = (error: Error) => {
    repeats.again(error.message, (counted) => {
      getLogger('databay.http').error({ err: error }, `metrics and probes: ${error.message}${counted}`)
    })
  }
  const ofPlanner = new PlannerMetrics()
  const ofProcess = new ProcessMetrics()
  let lostThreads = 0
  const onThreadLost = () => lostThreads++
  const app = makeApp({
    metrics: () => {
      const text = new Exposition()
      ofPlanner.write(text, planner.reading())
      const paused = 'Whether the planner as a whole is paused.'
      text.single('databay_planner_paused', 'gauge', paused, Number(planner.paused))
      if (planner.threads !== undefined) {
        text.single('databay_threads_lost_total', 'counter', 'Worker threads that were lost.', lostThreads)
      }
      ofProcess.write(text)
      return text.bytes()
    },
    readiness: () => readinessOf(planner),
    failed,
  })
  // no global is replaced, and no Host header is checked: probes and scrapers come from elsewhere
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: 'localhost' })
  const listener = new HttpListener((request, response) => {
    request.headers.host = 'localhost'
    return answer(request, response)
  }, failed)
  const bound = await listener.listen(address)
  planner.on('threadLost', onThreadLost)
  getLogger('databay.http').info(`metrics and probes on ${bound.url}: /metrics, /healthz, /readyz`)
  return {
    endpoint: bound,
    close: () => {
      planner.off('threadLost', onThreadLost)
      return listener.close()
    },
  }
}
