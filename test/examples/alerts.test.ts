import { text } from 'node:stream/consumers'
import t from 'tap'
import { serve } from '../helpers/servers.js'
import { runShown } from './readme.js'

t.test('a webhook has two messages about a shop that is down for three requests', async (t) => {
  const told: unknown[] = []
  let requests = 0
  const { url } = await serve(t, (request, response) => {
    if (request.url !== '/alerts') return response.writeHead(++requests <= 3 ? 503 : 200).end('{"id":1}')
    return void text(request).then((body) => {
      told.push(JSON.parse(body))
      response.end()
    })
  })
  await runShown(t, 'Alerts', { env: { ORDERS_URL: `${url}/orders`, WEBHOOK_URL: `${url}/alerts` } })
  t.match(told, [
    { text: /^\*databay: orders is in trouble\*\norders failed 3 times in a row: HttpInlet.* has the status 503$/ },
    { text: /^\*databay: orders has recovered\*\norders transfers again after \d+ (ms|s)$/ },
  ])
  t.equal(told.length, 2, 'and no third one')
})
