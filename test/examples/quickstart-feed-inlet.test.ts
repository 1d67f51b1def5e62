import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setLogLevel } from 'databay'
import t, { type Test } from 'tap'
import { FeedInlet } from '../../examples/quickstart/feed-inlet.js'
import { Update } from '../../src/core/update.js'

setLogLevel('silent')

/** Makes an inlet of a server that answers with these statuses, one after another, and then with the last. */
async function inletOf(t: Test, ...statuses: number[]) {
  const server = createServer((_request, response) => {
    const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200
    response.writeHead(status).end(status === 200 ? '{"features":[]}' : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const inlet = new FeedInlet(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  t.teardown(async () => {
    await inlet.onShutdown()
    server.close()
  })
  return () => inlet.pull(new Update(['quakes'], 0))
}

t.test('the first poll must not fail', async (t) => {
  const poll = await inletOf(t, 404, 404, 200)
  await t.rejects(poll(), /404/)
  await t.rejects(poll(), /404/)
  t.same(await poll(), { features: [] })
})

t.test('a poll that fails later is left out', async (t) => {
  const poll = await inletOf(t, 200, 503, 200, 503)
  t.same(await poll(), { features: [] })
  t.same(await poll(), [])
  t.same(await poll(), { features: [] })
  t.same(await poll(), [])
})

t.test('polls must not fail for ever', async (t) => {
  const poll = await inletOf(t, 200, 503)
  await poll()
  for (let failed = 0; failed < 10; failed++) t.same(await poll(), [])
  await t.rejects(poll(), /503/)
})
