import { register } from 'node:module'
import t from 'tap'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { liveLink } from '../helpers/threads.js'

// the package cannot be found in this process
const hooks = `export const resolve = (specifier, context, next) => {
  if (specifier !== '@opentelemetry/api') return next(specifier, context)
  throw Object.assign(new Error("Cannot find package '" + specifier + "'"), { code: 'ERR_MODULE_NOT_FOUND' })
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)

t.test('telemetry without the API of OpenTelemetry says what to install, and nothing starts', async (t) => {
  const link = liveLink('some')
  const planner = new SchedulePlanner(link, { telemetry: true })
  await t.rejects(planner.start(), {
    code: 'DATABAY_MISSING_DEPENDENCY',
    message: /^telemetry needs the package @opentelemetry\/api.*: npm install @opentelemetry\/api@\^1\.9\.0 /,
  })
  t.equal(planner.running, false)
  t.notOk(link.inlets[0]?.active)
})

t.test('without the option nobody needs it', async () => {
  const planner = new SchedulePlanner(liveLink('some'), { immediateTransfer: false })
  await planner.start()
  await planner.shutdown()
})
