import { text } from 'node:stream/consumers'
import t from 'tap'
import { serve } from '../helpers/servers.js'
import { run, runShown } from './readme.js'

t.test('its tests pass, and a full disk is told of', async (t) => {
  const told: string[] = []
  const { url } = await serve(t, (request, response) => {
    void text(request).then((body) => {
      told.push(body)
      response.end()
    })
  })
  const env = { WEBHOOK_URL: url, DISK_LIMIT: '0', NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined }
  await runShown(t, 'Nodes of your own, with tests', { env })
  t.match(told, [/^\[\d+\]$/])
  await run(t, 'npx databay run dist/examples/disk-alerts/links.js --once', { env: { ...env, DISK_LIMIT: '101' } })
  t.equal(told.length, 1, 'one that is not full is not')
})

t.test('a webhook that refuses is an error', async (t) => {
  const { url } = await serve(t, (_request, response) => response.writeHead(500).end())
  const env = { WEBHOOK_URL: url, DISK_LIMIT: '0' }
  const { code, stderr } = await run(t, 'npx databay run dist/examples/disk-alerts/links.js --once', { env })
  t.equal(code, 1)
  t.match(stderr, /the webhook answers with status 500/)
})
