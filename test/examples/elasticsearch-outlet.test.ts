import { Inlet, Link, setLogLevel } from 'databay'
import { OutletTester } from 'databay/testing'
import t, { type Test } from 'tap'
import {
  ElasticsearchOutlet,
  type ElasticsearchOutletOptions,
  type TextDocument,
} from '../../examples/elasticsearch-outlet.js'
import { BUSY, elasticsearch, type Faults } from './elasticsearch-server.js'
import { run, runShown } from './readme.js'

setLogLevel('silent')

class Documents extends Inlet<TextDocument> {
  pull() {
    return ['1', '2', '3'].map((id) => ({ id, text: `text ${id}` }))
  }
}

/** Transfers three documents to a server with these faults. */
async function transfer(t: Test, faults: Faults, { overwrite = true, timeout = 30 } = {}) {
  const server = await elasticsearch(t, faults)
  const outlets = new ElasticsearchOutlet({ node: server.url }, 'my-test-index', { overwriteDocuments: overwrite })
  const link = new Link({ inlets: new Documents(), outlets, interval: 60, timeout, tags: 'documents' })
  await link.onStart()
  t.teardown(() => link.onShutdown())
  const { outlets: reports, errors } = await link.transfer()
  const { pushed, dropped } = reports[0] ?? {}
  return {
    ...server,
    ids: [...server.documents.keys()].sort(),
    pushed,
    dropped,
    errors,
  }
}

t.test('documents are indexed; a second run overwrites them, or skips them', async (t) => {
  const server = await elasticsearch(t)
  const runs = await runShown(t, 'Elasticsearch outlet', { env: { ELASTICSEARCH_URL: server.url } })
  t.match(
    runs[0]?.stderr,
    /elasticsearch_outlet\.0 Indexed document with id 1 .*elasticsearch_outlet\.1 Indexed document with id 2 /s,
  )
  t.match(
    runs[1]?.stderr,
    /Document already exists for id 1\. Skipping\..*Document already exists for id 2\. Skipping\./s,
  )
  t.same([...server.documents.keys()], ['1', '2'])
  for (const document of server.documents.values()) t.match(document, { my_document: /\w+/ })
})

t.test('a batch is one request', async (t) => {
  const { requests, ids, pushed, dropped } = await transfer(t, {})
  t.same(requests, [['1', '2', '3']])
  t.match({ ids, pushed, dropped }, { ids: ['1', '2', '3'], pushed: 3, dropped: 0 })
})

t.test('a document that is refused is reported, and the others are taken', async (t) => {
  const refusal = { status: 400, type: 'document_parsing_exception', reason: 'failed to parse field [my_document]' }
  const { ids, pushed, dropped, errors } = await transfer(t, { document: (id) => (id === '2' ? refusal : undefined) })
  t.match({ ids, pushed, dropped }, { ids: ['1', '3'], pushed: 2, dropped: 1 })
  t.match(errors, [{ code: 'DATABAY_PARTIAL_PUSH' }])
  t.match(
    errors[0]?.message,
    /1 of 3 records were not taken: document 2: document_parsing_exception: failed to parse field/,
  )
})

t.test('what the server is too busy for is sent again, and nothing else', async (t) => {
  const { requests, ids, pushed } = await transfer(t, {
    document: (id, number) => (id !== '2' && number === 0 ? BUSY : undefined),
  })
  t.same(requests, [
    ['1', '2', '3'],
    ['1', '3'],
  ])
  t.match({ ids, pushed }, { ids: ['1', '2', '3'], pushed: 3 })
})

t.test('a request that the server is too busy for is sent again', async (t) => {
  const { requests, ids, pushed } = await transfer(t, { request: (number) => (number < 2 ? BUSY : undefined) })
  t.same(requests, Array(3).fill(['1', '2', '3']))
  t.match({ ids, pushed }, { ids: ['1', '2', '3'], pushed: 3 })
})

t.test('when the server stays too busy, what was taken before is told from what was not', async (t) => {
  const { ids, pushed, dropped, errors } = await transfer(t, {
    document: (id) => (id === '1' ? undefined : BUSY),
    request: (number) => (number > 1 ? BUSY : undefined),
  })
  t.match({ ids, pushed, dropped }, { ids: ['1'], pushed: 1, dropped: 2 })
  t.match(errors[0]?.message, /document 2: .*es_rejected_execution_exception/s)
})

t.test('a connection that is cut before the response does not duplicate documents', async (t) => {
  for (const overwrite of [true, false]) {
    const faults: Faults = { cut: (number) => number === 0 }
    const { requests, ids, pushed, dropped } = await transfer(t, faults, { overwrite })
    t.same(requests, Array(2).fill(['1', '2', '3']), 'they were sent twice')
    t.match({ ids, pushed, dropped }, { ids: ['1', '2', '3'], pushed: 3, dropped: 0 })
  }
})

t.test('it stops when the transfer is told to', async (t) => {
  const started = performance.now()
  const { dropped } = await transfer(t, { request: () => 'hang' }, { timeout: 0.3 })
  t.equal(dropped, 3)
  t.ok(performance.now() - started < 5000)
})

t.test('without its index it does not start', async (t) => {
  const { url } = await elasticsearch(t)
  const outlet = new ElasticsearchOutlet({ node: url }, 'other-index')
  await t.rejects(outlet.tryStart(), { message: "the index 'other-index' does not exist" })
  await outlet.onShutdown()
  await outlet.onShutdown()
})

t.test('the API key is sent, and never logged', async (t) => {
  const { url, authorizations } = await elasticsearch(t, { request: () => ({ ...BUSY, status: 403 }) })
  const command = 'npx databay run dist/examples/elasticsearch-outlet.js --once --log-level trace'
  const env = { ELASTICSEARCH_URL: url, ELASTICSEARCH_API_KEY: 'dGhlLXNlY3JldA' }
  const { code, stdout, stderr } = await run(t, command, { env })
  t.equal(code, 1)
  t.same([...authorizations], ['ApiKey dGhlLXNlY3JldA'])
  t.notMatch(stdout + stderr, /dGhlLXNlY3JldA/)
})

t.test('the contract of outlets', async (t) => {
  const { url, documents } = await elasticsearch(t, {
    document: (id) => (id === 'bad' ? { status: 400, type: 'document_parsing_exception', reason: 'no' } : undefined),
  })
  const hanging = await elasticsearch(t, { request: () => 'hang' })
  const outletOf = (node: string, options: ElasticsearchOutletOptions) =>
    new ElasticsearchOutlet({ node }, 'my-test-index', options)
  await new OutletTester<TextDocument>({
    create: (options) => outletOf(url, options),
    payload: (n) => ({ id: String(n), text: `text ${n}` }),
    invalid: [{ id: 'bad', text: 'refused' }],
    before: () => documents.clear(),
    read: () => [...documents].map(([id, document]) => ({ id, ...(document as object) })),
    arrives: ({ id, text }) => ({ id, my_document: text }),
    hanging: (options) => outletOf(hanging.url, options),
  }).run(t)
})
