/** Runs the programs of docs/secrets.md and docs/alerts.md. */
import t from 'tap'
import { once } from 'node:events'
import { testPage } from './helpers/pages.js'
import { serve } from './helpers/servers.js'

testPage(t, 'docs/secrets.md', async (t, page) => {
  t.test('the token is sent and not shown, and check names what is missing', async (t) => {
    const folder = page.folder(t)
    const sent: (string | undefined)[] = []
    const { url } = await serve(t, (request, response) => {
      sent.push(request.headers.authorization)
      response.end('["an order"]')
    })
    const given = { ORDERS_URL: url, API_TOKEN: 'the-token' }
    const ran = await page.run(folder, 'databay run orders.js --once', given)
    t.equal(ran.code, 0, ran.stderr)
    t.same(sent, ['Bearer the-token'])
    t.notMatch(ran.stdout + ran.stderr, /the-token/)
    const checked = await page.run(folder, 'databay check orders.js', { ORDERS_URL: url })
    t.match(
      checked.stderr,
      /orders\.js: failed to load: API_TOKEN is not set, nor is API_TOKEN_FILE \(file:.*orders\.js:\d+:\d+\)/,
    )
  })
})

testPage(t, 'docs/alerts.md', async (t, page) => {
  t.test('a failing link is told, and its recovery, and nothing else', async (t) => {
    const folder = page.folder(t, {
      'links.js': (code) => code.replace('{ seconds: 1 }', '0.1'),
      'databay.config.js': (code) => code.replace('alerts: {', 'alerts: {\n    groupWait: 0.1,'),
    })
    const bodies: string[] = []
    const receiver = await serve(t, (request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(text))
      request.on('end', () => {
        response.end('ok')
        receiver.server.emit('received')
      })
    })
    let count = 0
    const orders = await serve(t, (_, response) => response.writeHead(count++ < 6 ? 503 : 200).end('[1]'))
    const given = { ORDERS_URL: orders.url, SLACK_WEBHOOK_URL: `${receiver.url}/services/T000/B000` }
    page.hasRun('databay.config.js', 'links.js')
    const { code, stdout, stderr } = await page.run(folder, 'databay run --transfers 40', given)
    while (bodies.length < 2) await once(receiver.server, 'received')
    t.equal(code, 1, 'transfers had failed')
    t.match(
      bodies.map((body) => (JSON.parse(body) as { text: string }).text),
      [
        /^\*databay: orders is in trouble\*\norders failed 3 times in a row: HttpInlet/,
        /^\*databay: orders has recovered\*\norders transfers again after \d+ s$/,
      ],
    )
    t.equal(bodies.length, 2)
    t.notMatch(stdout + stderr, /T000/)
  })
})
