import type { IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import type { HttpInlet } from '../../src/inlets/http-inlet.js'
import { failureOf, inlet, update } from '../helpers/http-inlets.js'
import { serve } from '../helpers/servers.js'

/** A server of one resource that can change, as RFC 9110 has it. */
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

t.test('what did not change is no records', async (t) => {
  for (const kind of ['etag', 'last-modified'] as const) {
    const { resource, asked, url } = await serveChanging(t, kind)
    const one = inlet(t, url, { conditional: true })
    t.same(await one.pull(update), [1])
    t.same(await one.pull(update), [])
    t.same(await one.pull(update), [], 'also after an answer that it did not')
    Object.assign(resource, { body: '[2]', version: 2 })
    t.same(await one.pull(update), [2])
    t.same(await one.pull(update), [])
    t.match(asked[0], { 'if-none-match': undefined, 'if-modified-since': undefined })

    const always = inlet(t, url)
    t.same([await always.pull(update), await always.pull(update)], [[2], [2]], 'unless the option is set')
    t.equal(always.saveState(), undefined)
  }
})

t.test('what could not be read whole is asked for again', async (t) => {
  const { resource, url } = await serveChanging(t, 'etag')
  const one = inlet(t, url, { conditional: true })
  resource.body = '[1'
  await failureOf(t, one.pull(update))
  resource.body = '[1]'
  t.same(await one.pull(update), [1])
  Object.assign(resource, { body: '[2', version: 2 })
  await failureOf(t, one.pull(update))
  resource.body = '[2]'
  t.same(await one.pull(update), [2])
})

t.test('a server that names no version is asked for all, each time', async (t) => {
  let status = 200
  const asked: IncomingMessage['headers'][] = []
  const { url } = await serve(t, ({ headers }, response) => {
    asked.push(headers)
    response.writeHead(status).end(status === 304 ? '' : '1')
  })
  const one = inlet(t, url, { conditional: true })
  t.same([await one.pull(update), await one.pull(update)], [1, 1])
  t.equal(one.saveState(), undefined)
  status = 304
  t.match(await failureOf(t, one.pull(update)), { failure: 'status', status: 304 }, 'so it cannot be unchanged')
})

t.test('the version moves along to another thread', async (t) => {
  const { url } = await serveChanging(t, 'etag')
  const one = inlet(t, url, { conditional: true })
  await one.pull(update)
  t.same(one.saveState(), { etag: 'W/"1"' })
  const moved = (state: unknown, conditional = true): HttpInlet => {
    const other = inlet(t, url, { conditional })
    other.restoreState(structuredClone(state))
    return other
  }
  t.same(await moved(one.saveState()).pull(update), [])
  t.same(await moved(one.saveState(), false).pull(update), [1])
  for (const state of [undefined, null, 'x', {}, { etag: 7 }, { etag: 'a\r\nx: y' }, { etag: '' }]) {
    const other = moved(state)
    t.equal(other.saveState(), undefined)
    t.same(await other.pull(update), [1])
  }
})
