import type { IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import type { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import { Link } from '../../../src/core/link.js'
import { Update } from '../../../src/core/update.js'
import { failureOf, inlet } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { KeepOutlet } from '../../helpers/nodes.js'
import { serve } from '../../helpers/servers.js'

/** Starts a server of one resource that can change, as RFC 9110 describes it. */
async function serveChanging(t: Test, kind: 'etag' | 'last-modified') {
  const resource = { body: '[1]', version: 1 }
  const asked: IncomingMessage['headers'][] = []
  const { url } = await serve(t, ({ headers }, response) => {
    asked.push(headers)
    const etag = `W/"${resource.version}"`
    const date = new Date(resource.version * 1000).toUTCString()
    const [known, name] = kind === 'etag' ? [headers['if-none-match'], etag] : [headers['if-modified-since'], date]
    response.setHeader(kind, name)
    if (known === name) response.writeHead(304).end()
    else response.end(resource.body)
  })
  return { resource, asked, url }
}

/** Pulls for a transfer that delivers the response. */
async function delivered(one: HttpInlet): Promise<unknown> {
  const update = new Update(['a'], 0)
  const pulled = await one.pull(update)
  one.onTransferEnd(update, true)
  return pulled
}

t.test('what did not change is no records', async (t) => {
  for (const kind of ['etag', 'last-modified'] as const) {
    const { resource, asked, url } = await serveChanging(t, kind)
    const one = inlet(t, url, { conditional: true })
    t.same(await delivered(one), [1])
    t.same(await delivered(one), [])
    t.same(await delivered(one), [], 'also after an answer that it did not')
    Object.assign(resource, { body: '[2]', version: 2 })
    t.same(await delivered(one), [2])
    t.same(await delivered(one), [])
    t.match(asked[0], { 'if-none-match': undefined, 'if-modified-since': undefined })

    const always = inlet(t, url)
    t.same([await delivered(always), await delivered(always)], [[2], [2]], 'unless the option is set')
    t.equal(always.saveState(), undefined)
  }
})

t.test('what could not be read whole is asked for again', async (t) => {
  const { resource, url } = await serveChanging(t, 'etag')
  const one = inlet(t, url, { conditional: true })
  resource.body = '[1'
  await failureOf(t, delivered(one))
  resource.body = '[1]'
  t.same(await delivered(one), [1])
  Object.assign(resource, { body: '[2', version: 2 })
  await failureOf(t, delivered(one))
  resource.body = '[2]'
  t.same(await delivered(one), [2])
})

t.test('a server that names no version is asked for all, each time', async (t) => {
  let status = 200
  const asked: IncomingMessage['headers'][] = []
  const { url } = await serve(t, ({ headers }, response) => {
    asked.push(headers)
    response.writeHead(status).end(status === 304 ? '' : '1')
  })
  const one = inlet(t, url, { conditional: true })
  t.same([await delivered(one), await delivered(one)], [1, 1])
  t.equal(one.saveState(), undefined)
  status = 304
  t.match(await failureOf(t, delivered(one)), { failure: 'status', status: 304 }, 'so it cannot be unchanged')
})

t.test('the version moves along to another thread', async (t) => {
  const { url } = await serveChanging(t, 'etag')
  const one = inlet(t, url, { conditional: true })
  await delivered(one)
  t.same(one.saveState(), { etag: 'W/"1"' })
  const moved = (state: unknown, conditional = true): HttpInlet => {
    const other = inlet(t, url, { conditional })
    other.restoreState(structuredClone(state))
    return other
  }
  t.same(await delivered(moved(one.saveState())), [])
  t.same(await delivered(moved(one.saveState(), false)), [1])
  for (const state of [undefined, null, 'x', {}, { etag: 7 }, { etag: 'a\r\nx: y' }, { etag: '' }]) {
    const other = moved(state)
    t.equal(other.saveState(), undefined)
    t.same(await delivered(other), [1])
  }
})

t.test('what was not delivered is asked for again', async (t) => {
  captureLogs(t, 'silent')
  const { resource, asked, url } = await serveChanging(t, 'etag')
  const one = inlet(t, url, { conditional: true })
  let refuse = true
  const outlet = new KeepOutlet(() => {
    if (refuse) throw new Error('refused')
  })
  const link = new Link({ inlets: one, outlets: outlet, interval: 1 })
  await link.transfer()
  t.equal(one.saveState(), undefined)
  refuse = false
  await link.transfer()
  t.same(one.saveState(), { etag: 'W/"1"' })
  Object.assign(resource, { body: '[2]', version: 2 })
  refuse = true
  await link.transfer()
  t.same(one.saveState(), { etag: 'W/"1"' })
  refuse = false
  t.match(await link.transfer(), { pulled: 1 })
  t.match(await link.transfer(), { pulled: 0 })
  t.same(outlet.payloads, [[1], [1], [2], [2]])
  t.same(
    asked.map((headers) => headers['if-none-match']),
    [undefined, undefined, 'W/"1"', 'W/"1"', 'W/"2"'],
  )
})

t.test('of transfers at the same time the later response counts, whichever ends last', async (t) => {
  const { resource, url } = await serveChanging(t, 'etag')
  const one = inlet(t, url, { conditional: true })
  const [first, second] = [new Update(['a'], 0), new Update(['a'], 1)]
  await one.pull(first)
  Object.assign(resource, { body: '[2]', version: 2 })
  await one.pull(second)
  one.onTransferEnd(second, true)
  one.onTransferEnd(first, true)
  t.same(one.saveState(), { etag: 'W/"2"' })
})

t.test('the same etag with the whole response is no news', async (t) => {
  const resource = { body: '[1]', etag: '"a"' }
  const { url } = await serve(t, (_, response) => {
    response.setHeader('etag', resource.etag).end(resource.body)
  })
  const one = inlet(t, url, { conditional: true })
  t.same(await delivered(one), [1])
  t.same(await delivered(one), [])
  resource.etag = 'W/"a"'
  t.same(await delivered(one), [], 'a weak one is the same version, too')
  Object.assign(resource, { body: '[2]', etag: '"b"' })
  t.same(await delivered(one), [2])
  const always = inlet(t, url)
  t.same([await delivered(always), await delivered(always)], [[2], [2]], 'unless the option is not set')
})

t.test('the same last-modified with the whole response may be news', async (t) => {
  const { url } = await serve(t, (_, response) => {
    response.setHeader('last-modified', new Date(0).toUTCString()).end('[1]')
  })
  const one = inlet(t, url, { conditional: true })
  t.same([await delivered(one), await delivered(one)], [[1], [1]])
})

t.test('of an etag that came twice the first counts', async (t) => {
  const { url } = await serve(t, (request, response) => {
    response.setHeader('etag', ['"a"', '"a"'])
    response.writeHead(request.headers['if-none-match'] === '"a"' ? 304 : 200).end('[1]')
  })
  const one = inlet(t, url, { conditional: true })
  t.same([await delivered(one), await delivered(one)], [[1], []])
})
