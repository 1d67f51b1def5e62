/** A service: fastify answers requests, and a planner beside it transfers in worker threads. Needs `npm install fastify`. */
import { setLogger, WorkerPlanner } from 'databay'
import { fastify } from 'fastify'

const app = fastify({ logger: true })
setLogger(app.log) // one log for both, that of the threads too
const planner = new WorkerPlanner(new URL('./links.js', import.meta.url), { ignoreExceptions: true })

app.get('/health', (_request, reply) => {
  const links = planner.stats().links.map(({ link, consecutiveFailures, lastSuccessAt = null }) => {
    return { link, consecutiveFailures, lastSuccessAt }
  })
  const healthy = planner.running && links.every(({ consecutiveFailures }) => consecutiveFailures < 3)
  return reply.code(healthy ? 200 : 503).send({ healthy, links })
})

// requests end first, then transfers
app.addHook('onClose', () => planner.shutdown())
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void app.close().then(() => (process.exitCode = 0)))
}

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
try {
  await planner.start() // the first transfers have ended then
  await planner.finished
} catch (error) {
  app.log.error(error)
  process.exitCode = 1
  await app.close()
}
