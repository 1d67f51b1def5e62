import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { LinkModuleError } from '../../../src/base/errors.js'
import type { PlannedLink } from '../../../src/core/planned-link.js'
import type { PlannerOptions } from '../../../src/planners/planner-options.js'
import { processStatus } from '../../../src/operate/control/process-status.js'
import { SchedulePlanner } from '../../../src/planners/schedule-planner.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred } from '../../helpers/nodes.js'
import { handPlanner, StubLink, tracedLink } from '../../helpers/planners.js'
import { lintMetrics, parseMetrics, valueOf } from '../../helpers/prometheus.js'
import { until } from '../../helpers/threads.js'

/** A planner that serves metrics on a port that is free. */
function served(t: Test, links: PlannedLink | PlannedLink[], options: PlannerOptions = {}) {
  captureLogs(t)
  return handPlanner(t, links, { http: 0, ...options })
}

type Served = ReturnType<typeof served>

async function get(planner: Served, path: string, init?: RequestInit) {
  const response = await fetch(`${planner.http?.url ?? 'nowhere'}${path}`, init)
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** Sends text by a connection of its own, and gives what comes back until the connection ends. */
async function raw(planner: Served, text: string): Promise<string> {
  const socket = connect(planner.http?.port ?? 0, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (data: string) => (answer += data))
  socket.on('error', () => undefined)
  socket.write(text)
  await new Promise((resolve) => socket.on('close', resolve))
  return answer
}

t.test('metrics, health and readiness of a planner are served', async (t) => {
  const link = tracedLink('orders', [])
  const planner = served(t, link)
  t.equal(planner.http, undefined, 'not before the start')
  await planner.start()
  t.match(planner.http, { host: '127.0.0.1', port: Number, url: `http://127.0.0.1:${planner.http?.port}` })
  await planner.fire(link)
  const metrics = await get(planner, '/metrics')
  t.equal(metrics.status, 200)
  t.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.strictSame(lintMetrics(metrics.text), [])
  t.equal(valueOf(metrics.text, 'databay_transfers_total', { link: 'orders' }), 1)
  t.ok(Number(valueOf(metrics.text, 'process_resident_memory_bytes')) > 1e6)
  t.match(await get(planner, '/healthz'), { status: 200, text: 'ok\n' })
  t.match(await get(planner, '/readyz'), { status: 200, text: 'ready\n' })
  await planner.shutdown()
  t.equal(planner.http, undefined, 'not after the shutdown')
})

t.test('health is served while links start, and readiness says that they do', async (t) => {
  const [begun, goOn] = [deferred(), deferred()]
  const planner = served(
    t,
    tracedLink('slow', [], {
      onStart: () => {
        begun.resolve()
        return goOn.promise
      },
    }),
  )
  const starting = planner.start()
  await begun.promise
  t.match(await get(planner, '/healthz'), { status: 200, text: 'ok\n' })
  t.match(await get(planner, '/readyz'), { status: 503, text: 'not ready: starting\n' })
  t.match(await get(planner, '/metrics'), { status: 200 })
  goOn.resolve()
  await starting
  t.match(await get(planner, '/readyz'), { status: 200, text: 'ready\n' })
})

t.test('a shutdown is told while transfers end', async (t) => {
  const [begun, goOn] = [deferred(), deferred()]
  const link = tracedLink('slow', [], {
    push: () => {
      begun.resolve()
      return goOn.promise
    },
  })
  const planner = served(t, link)
  await planner.start()
  const fired = planner.fire(link)
  await begun.promise
  const stopping = planner.shutdown()
  t.match(await get(planner, '/readyz'), { status: 503, text: 'not ready: stopping\n' })
  t.match(await get(planner, '/healthz'), { status: 200 })
  t.equal(valueOf((await get(planner, '/metrics')).text, 'databay_transfers_running', { link: 'slow' }), 1)
  const { url } = planner.http ?? { url: '' }
  goOn.resolve()
  await Promise.all([fired, stopping])
  await t.rejects(fetch(`${url}/healthz`), 'nobody listens any more')
})

t.test(
  'links that are tried again leave a planner ready, which names them; a module that cannot be loaded does not',
  async (t) => {
    const failing = tracedLink(
      'down',
      [],
      {
        onStart: () => {
          throw new Error('ECONNREFUSED password=hunter2')
        },
      },
      { onStartFailure: 'retry' },
    )
    const planner = served(t, [failing, new StubLink('fine')])
    await planner.start()
    t.match(await get(planner, '/readyz'), { status: 200, text: 'ready; not started, and tried again: down\n' })
    t.ok(processStatus(planner, '', 0).ready, 'databay status says the same')
    const { text } = await get(planner, '/metrics')
    t.equal(valueOf(text, 'databay_link_unstarted', { link: 'down' }), 1)
    t.equal(valueOf(text, 'databay_link_unstarted', { link: 'fine' }), 0)
    t.notMatch(text, 'hunter2')
    const broken = tracedLink(
      'broken',
      [],
      {
        onStart: () => {
          throw new LinkModuleError('file:///links.js', 'does not parse')
        },
      },
      { onStartFailure: 'retry' },
    )
    await planner.addLinks(broken)
    t.match(await get(planner, '/readyz'), { status: 503, text: 'not ready: modules cannot be loaded, of broken\n' })
    t.notOk(processStatus(planner, '', 0).ready)
    await planner.removeLinks(broken)
    t.match(await get(planner, '/readyz'), { status: 200 })
  },
)

t.test('a paused planner is ready, and says that it is paused', async (t) => {
  captureLogs(t)
  const planner = new SchedulePlanner(new StubLink('one'), { http: 0, immediateTransfer: false })
  t.teardown(() => planner.shutdown())
  await planner.start()
  const text = async (path: string) => (await fetch(`${planner.http?.url}${path}`)).text()
  planner.pause()
  t.equal(await text('/readyz'), 'ready; paused\n')
  t.equal(valueOf(await text('/metrics'), 'databay_planner_paused'), 1)
  planner.resume()
  t.equal(await text('/readyz'), 'ready\n')
  t.equal(valueOf(await text('/metrics'), 'databay_planner_paused'), 0)
})

t.test('a paused link is in the metrics', async (t) => {
  const link = new StubLink('one')
  const planner = served(t, [link, new StubLink('other')])
  await planner.start()
  planner.pause(link)
  let { text } = await get(planner, '/metrics')
  t.equal(valueOf(text, 'databay_link_paused', { link: 'one' }), 1)
  t.equal(valueOf(text, 'databay_link_paused', { link: 'other' }), 0)
  planner.resume(link)
  ;({ text } = await get(planner, '/metrics'))
  t.equal(valueOf(text, 'databay_link_paused', { link: 'one' }), 0)
})

t.test('only GET and HEAD of three paths are answered', async (t) => {
  const planner = served(t, new StubLink('one'))
  await planner.start()
  for (const path of ['/metrics', '/healthz', '/readyz']) {
    const head = await get(planner, path, { method: 'HEAD' })
    t.match(head, { status: 200, text: '' }, `HEAD ${path}`)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const init = { method, ...(method !== 'OPTIONS' && { body: 'x'.repeat(100_000) }) }
      const answer = await get(planner, path, init)
      t.match(answer, { status: 405, text: 'only GET and HEAD\n' }, `${method} ${path}`)
      t.equal(answer.headers.get('allow'), 'GET, HEAD')
    }
  }
  for (const path of ['/', '/metrics/', '/Metrics', '/metricsx', '/../etc/passwd', '/%2e%2e', '/favicon.ico']) {
    t.match(await get(planner, path), { status: 404, text: 'not found: there are /metrics, /healthz, /readyz\n' }, path)
  }
  t.match(await get(planner, '/metrics?x=1#y'), { status: 200 }, 'a query does not matter')
  t.match(await get(planner, '/', { method: 'POST', body: 'x' }), { status: 404 })
})

t.test('probes come from elsewhere: of whatever host, and without one', async (t) => {
  const planner = served(t, new StubLink('one'))
  await planner.start()
  for (const host of ['Host: evil.example\r\n', 'Host: 10.0.0.1:1\r\n', 'Host: not a host\r\n', 'Host:\r\n']) {
    const answer = await raw(planner, `GET /healthz HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)
    t.match(answer, /^HTTP\/1\.1 200 OK\r\n/, host.trim())
  }
  t.match(await raw(planner, 'GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/)
  t.match(await raw(planner, 'TRACE /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 405 /)
  t.match(
    await raw(planner, 'GET http://other/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 200 /,
  )
  t.match(await raw(planner, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
  t.match(await raw(planner, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /)
})

t.test('a port in use is an error of the start, and nothing is started', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const trace: string[] = []
  const planner = served(t, tracedLink('one', trace), { http: port })
  const { messages } = captureLogs(t)
  await t.rejects(planner.start(), {
    code: 'DATABAY_HTTP_LISTEN',
    message: `http: cannot listen on 127.0.0.1:${port}: another program listens there (EADDRINUSE): choose another port, or 0 for any that is free`,
    cause: { code: 'EADDRINUSE' },
  })
  t.strictSame(trace, [], 'no node was started')
  t.strictSame(messages(), [], 'the error is told once')
  t.match(planner, { running: false, state: 'idle', http: undefined })
  taken.close()
  await once(taken, 'close')
  await planner.start()
  t.equal(planner.http?.port, port, 'it starts once the port is free')
})

t.test('an address that this machine does not have is an error of the start', async (t) => {
  await t.rejects(served(t, new StubLink('one'), { http: '192.0.2.1:0' }).start(), {
    code: 'DATABAY_HTTP_LISTEN',
    message: 'http: cannot listen on 192.0.2.1:0: this machine does not have that address (EADDRNOTAVAIL)',
  })
  await t.rejects(served(t, new StubLink('one'), { http: 'no-such-host.invalid:0' }).start(), {
    code: 'DATABAY_HTTP_LISTEN',
  })
})

t.test('all interfaces, and IPv6, are listened on when the address says so', async (t) => {
  for (const [http, url] of [
    [':0', 'http://localhost:'],
    ['[::1]:0', 'http://[::1]:'],
    ['0.0.0.0:0', 'http://0.0.0.0:'],
  ] as const) {
    const planner = served(t, new StubLink('one'), { http })
    await planner.start()
    t.ok(planner.http?.url.startsWith(url), http)
    t.match(await get(planner, '/healthz'), { status: 200 }, http)
    await planner.shutdown()
  }
})

t.test('slow, idle and too many clients neither lock others out nor hold up the shutdown', async (t) => {
  const planner = served(
    t,
    Array.from({ length: 400 }, (_, at) => new StubLink(`link ${at}`)),
  )
  await planner.start()
  const sockets: Socket[] = []
  const open = (text: string) => {
    const socket = connect(planner.http?.port ?? 0, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(text)
    sockets.push(socket)
    return socket
  }
  for (let count = 0; count < 300; count++) open('GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ')
  // these ask, and never read
  for (let count = 0; count < 40; count++) open('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n').pause()
  await until(() => sockets.filter(({ destroyed }) => destroyed).length > 100)
  t.match(await get(planner, '/readyz'), { status: 200 })
  t.strictSame(lintMetrics((await get(planner, '/metrics')).text), [])
  const before = performance.now()
  await planner.shutdown()
  t.ok(performance.now() - before < 5000, 'the shutdown did not wait for them')
  for (const socket of sockets) socket.destroy()
})

t.test('many requests at once by one connection are not answered: no scraper asks like that', async (t) => {
  const planner = served(t, new StubLink('one'))
  await planner.start()
  const answer = await raw(planner, 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2000))
  t.ok(answer.length < 20_000, `${answer.length} bytes came back`)
  t.match(await get(planner, '/healthz'), { status: 200 })
})

t.test('a connection is used again for the next scrape', async (t) => {
  const planner = served(t, new StubLink('one'))
  await planner.start()
  const socket = connect(planner.http?.port ?? 0, '127.0.0.1').setEncoding('latin1')
  t.teardown(() => socket.destroy())
  for (let count = 0; count < 3; count++) {
    socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    const [data] = (await once(socket, 'data')) as [string]
    t.match(data, /200 OK/)
  }
})

t.test('an upgrade is not one, and a body with a GET does not matter', async (t) => {
  const planner = served(t, new StubLink('one'))
  await planner.start()
  const upgrade = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n'
  t.match(await raw(planner, upgrade), /^HTTP\/1\.1 200 /)
  t.equal(await raw(planner, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'), '')
  const asking = request(`${planner.http?.url}/healthz`, { method: 'GET', headers: { 'content-length': 1000 } })
  asking.end('x'.repeat(1000))
  const [response] = (await once(asking, 'response')) as [{ statusCode: number; resume(): void }]
  response.resume()
  t.equal(response.statusCode, 200)
})

t.test('links that do not tell their figures fail the scrape alone', async (t) => {
  const link = new StubLink('one')
  const planner = served(t, link)
  await planner.start()
  Object.defineProperty(link, 'tags', {
    get() {
      throw new Error('broken')
    },
  })
  t.match(await get(planner, '/metrics'), { status: 500, text: 'failed: the log says why\n' })
  t.match(await get(planner, '/healthz'), { status: 200 })
  t.equal(parseMetrics('').length, 0)
})

t.test('the listener does not keep the process up, nor replace what is global', async (t) => {
  const { Request, Response } = globalThis
  const planner = served(t, new StubLink('one'))
  await planner.start()
  await get(planner, '/healthz')
  t.equal(globalThis.Request, Request)
  t.equal(globalThis.Response, Response)
})
