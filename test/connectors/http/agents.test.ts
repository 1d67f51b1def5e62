import t from 'tap'
import { FileError } from '../../../src/connectors/errors.js'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import { failureOf, inlet, pullOf, update } from '../../helpers/http-inlets.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { setEnvironment } from '../../helpers/proxies.js'
import { countConnections, makeCertificate, serve, serveTls, signedBy } from '../../helpers/servers.js'

t.test('connections are kept between pulls, after errors too, and closed at shutdown', async (t) => {
  let status = 200
  const { server, url } = await serve(t, (_, response) => response.writeHead(status).end('1'))
  const { count, allClosed } = countConnections(server)
  const one = new HttpInlet(url, { retry: { retries: 0 } })
  await one.onStart()
  for (status of [200, 200, 200, 500, 404, 302, 200]) {
    const pulled = one.pull(update)
    await (status === 200 ? pulled : t.rejects(pulled))
    await turnOfTheLoop()
  }
  t.equal(count.made, 1)
  t.equal(count.open, 1)
  await one.onShutdown()
  await allClosed()
  await one.onShutdown()
})

t.test('inlets share connections, until the last of them is shut down', async (t) => {
  const { server, url } = await serve(t, (_, response) => response.end('1'))
  const { count, allClosed } = countConnections(server)
  const inlets = [url, `${url}/b`, `${url}/c`].map((one) => new HttpInlet(one))
  const [first, ...others] = inlets
  await Promise.all(inlets.map((one) => one.onStart()))
  for (const one of inlets) {
    await one.pull(update)
    await turnOfTheLoop()
  }
  t.equal(count.made, 1)
  for (const one of others) await Promise.all([one.onShutdown(), one.onShutdown()])
  await first?.pull(update)
  t.same(count, { made: 1, open: 1 }, 'those that are left still have it')
  await first?.onShutdown()
  await allClosed()
})

t.test('inlets of different settings of their connections have connections of their own', async (t) => {
  const { server, url } = await serve(t, (_, response) => response.end('1'))
  const { count } = countConnections(server)
  await inlet(t, url).pull(update)
  await turnOfTheLoop()
  await inlet(t, url, { connectTimeout: 7 }).pull(update)
  t.equal(count.made, 2)
})

t.test('a shutdown ends what its inlet asks for, and not what others do', async (t) => {
  let asked = 0
  const { url } = await serve(t, (request, response) => {
    asked++
    if (request.url === '/others') setTimeout(() => response.end('1'), 100)
  })
  const one = inlet(t, url, { retry: { retries: 5 } })
  const other = inlet(t, `${url}/others`)
  const pulled = failureOf(t, one.pull(update))
  const others = other.pull(update)
  while (asked < 2) await turnOfTheLoop()
  await one.onShutdown()
  t.match(await pulled, { failure: 'connection', message: /was shut down/ })
  t.equal(await others, 1)
})

t.test('cacert adds an authority to those that Node trusts', async (t) => {
  const folder = t.testdir({ none: 'no certificate', broken: '' })
  const authority = makeCertificate(folder, 'authority')
  const wrong = makeCertificate(folder, 'wrong')
  if (authority === undefined || wrong === undefined) {
    t.pass('needs openssl', { skip: true })
    return
  }
  const { url } = await serveTls(t, signedBy(folder, authority, 'server'), (_, response) => response.end('"safe"'))
  t.equal(await inlet(t, url, { cacert: authority.file }).pull(update), 'safe')

  // the fault of a certificate does not pass, so there is no other try
  const retry = { retries: 5, minDelay: 60, maxDelay: 60 }
  for (const options of [{ retry }, { retry, cacert: wrong.file }]) {
    const untrusted = await failureOf(t, inlet(t, url, options).pull(update))
    t.match(untrusted, {
      failure: 'connection',
      message: /unable to verify.*; name its authority by the option cacert/,
    })
  }
  const elsewhere = url.replace('localhost', '127.0.0.1')
  const misnamed = await failureOf(t, inlet(t, elsewhere, { cacert: authority.file, retry }).pull(update))
  t.match(misnamed, {
    failure: 'connection',
    message: /altnames.*: its certificate is for another name; is the host right\?$/,
  })

  for (const name of ['none', 'broken', 'missing']) {
    const unusable = inlet(t, url, { cacert: `${folder}/${name}` })
    await t.rejects(unusable.onStart(), FileError, name)
    await t.rejects(unusable.pull(update), { code: 'DATABAY_FILE', path: `${folder}/${name}` }, 'and is tried again')
  }
  const missing = inlet(t, url, { cacert: `${folder}/missing` })
  await t.rejects(missing.onStart(), { message: /^HttpInlet: .*ENOENT/ })
})

t.test('with cacert, the built-in authorities are trusted still', async (t) => {
  const folder = t.testdir({})
  const builtIn = makeCertificate(folder, 'built-in')
  const other = makeCertificate(folder, 'other')
  if (builtIn === undefined || other === undefined) {
    t.pass('needs openssl', { skip: true })
    return
  }
  const { url } = await serveTls(t, builtIn, (_, response) => response.end('"safe"'))
  const tls = { ...(await import('node:tls')), rootCertificates: [builtIn.cert], getCACertificates: undefined }
  const { openConnection } = await t.mockImport<typeof import('../../../src/connectors/http/agents.js')>(
    '../../../src/connectors/http/agents.js',
    { 'node:tls': tls },
  )
  const connection = await openConnection({ connectTimeout: 1000, cacert: other.file })
  const response = await connection.send(new URL(url), { method: 'GET' })
  t.equal(await response.body.text(), '"safe"')
  await connection.close()
})

t.test('with cacert, the authorities of NODE_EXTRA_CA_CERTS are trusted still', async (t) => {
  const folder = t.testdir({ broken: '-----BEGIN nonsense' })
  const extra = makeCertificate(folder, 'extra')
  const other = makeCertificate(folder, 'other')
  if (extra === undefined || other === undefined) {
    t.pass('needs openssl', { skip: true })
    return
  }
  const { url } = await serveTls(t, extra, (_, response) => response.end('"safe"'))
  // as Node was before it could tell which authorities it trusts
  const { openConnection } = await t.mockImport<typeof import('../../../src/connectors/http/agents.js')>(
    '../../../src/connectors/http/agents.js',
    { 'node:tls': { ...(await import('node:tls')), getCACertificates: undefined } },
  )
  const ask = async () => {
    const connection = await openConnection({ connectTimeout: 1000, cacert: other.file })
    const asked = connection.send(new URL(url), { method: 'GET' }).then(({ body }) => body.text())
    return asked.finally(() => connection.close())
  }
  setEnvironment(t, { NODE_EXTRA_CA_CERTS: extra.file })
  t.equal(await ask(), '"safe"')
  for (const NODE_EXTRA_CA_CERTS of [undefined, '', `${folder}/missing`, `${folder}/broken`]) {
    setEnvironment(t, { NODE_EXTRA_CA_CERTS })
    await t.rejects(ask(), { message: /self-signed certificate/ }, 'and what Node cannot use does no harm')
  }
})

t.test('headers may be as long as in browsers, and no longer', async (t) => {
  t.same(
    await pullOf(t, '[1]', {}, { 'set-cookie': Array.from({ length: 50 }, (_, at) => `${at}=${'x'.repeat(4000)}`) }),
    [1],
  )
  const error = await failureOf(t, pullOf(t, '[1]', {}, { 'x-long': 'x'.repeat(300_000) }))
  t.match(error, { failure: 'connection', message: /Headers Overflow/ })
})
