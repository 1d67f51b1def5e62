/** Spans of transfers in threads, by a real SDK: of the built package, as an SDK finds it in programs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { setLogLevel, WorkerPlanner, type WorkerPlannerOptions } from '../../dist/src/index.js'
import { loadBuildOnly } from '../helpers/built-threads.js'
import { mongoServer } from '../helpers/mongo.js'
import { serve } from '../helpers/servers.js'
import { readSpans, sdkModule, treesOf } from '../helpers/spans.js'

loadBuildOnly()
setLogLevel('silent')

/** Makes one transfer of links in a thread with an SDK, and gives the spans. */
async function spansOf(t: Test, code: string, options: WorkerPlannerOptions = {}, setup = sdkModule) {
  const folder = t.testdir({})
  const file = join(folder, 'spans.jsonl')
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const links = write(
    'links.mjs',
    `import { Buffer, HttpInlet, Inlet, Link, MongoOutlet, NullOutlet, Outlet } from 'databay'\n${code}`,
  )
  const threadSetup = write('sdk.mjs', setup(file))
  const planner = new WorkerPlanner(links, {
    threads: 1,
    transfers: 1,
    ignoreExceptions: true,
    telemetry: true,
    threadSetup,
    ...options,
  })
  planner.finished.catch(() => undefined)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  await planner.start()
  await planner.finished
  return readSpans(file)
}

t.test('a transfer is a span, with one for each call, in which those of undici lie', async (t) => {
  const { url } = await serve(t, (_, response) => {
    response.setHeader('content-type', 'application/json').end('[{"n":1},{"n":2},{"n":3}]')
  })
  const spans = await spansOf(
    t,
    `class Poster extends Outlet {
      async push() { await (await fetch('${url}/taken', { method: 'POST', body: '1' })).text() }
    }
    const odd = (records) => records.filter(({ payload }) => payload.n % 2 === 1)
    const alone = (batches) => batches.flat().map((record) => [record])
    class Doubled { process(records) { return records } }
    export const todos = new Link({
      inlets: new HttpInlet('${url}/todos'), processors: odd, groupers: alone, interval: 1, tags: ['web', 'todo'],
      outlets: new Poster({ processors: new Doubled() }),
    })`,
  )
  t.same(treesOf(spans), [
    [
      'transfer',
      ['pull HttpInlet', ['GET']],
      ['process odd'],
      ['group alone'],
      ['process Doubled'],
      ['push Poster', ['POST']],
      ['process Doubled'],
      ['push Poster', ['POST']],
    ],
  ])
  const transfer = spans.find(({ name }) => name === 'transfer')
  t.match(transfer, {
    scope: 'databay',
    status: { code: 0 },
    attributes: {
      'databay.link': 'todos',
      'databay.update': 'web.todo.0',
      'databay.tags': ['web', 'todo'],
      'databay.transfer.number': 0,
      'databay.thread': 1,
      'databay.lateness': Number,
      'databay.records.pulled': 3,
      'databay.records.filtered': 1,
      'databay.records.pushed': 2,
      'databay.batches': 2,
      'databay.rounds': 1,
    },
  })
  const named = (name: string) => spans.filter((span) => span.name === name).map(({ attributes }) => attributes)
  t.same(named('pull HttpInlet'), [{ 'databay.node': `HttpInlet(${url}/todos)`, 'databay.records.out': 3 }])
  t.same(named('process odd'), [{ 'databay.node': 'processor odd', 'databay.records.in': 3, 'databay.records.out': 2 }])
  t.same(named('group alone'), [{ 'databay.node': 'grouper alone', 'databay.records.in': 2, 'databay.batches': 2 }])
  t.same(named('push Poster')[0], { 'databay.node': 'Poster', 'databay.records.in': 1 })
})

t.test('an error is in its span and is the status of the transfer', async (t) => {
  const spans = await spansOf(
    t,
    `class Refusing extends Outlet {
      async push() { throw Object.assign(new TypeError('not taken'), { code: 'E_NO', headers: { token: 'abcd' } }) }
    }
    class Numbers extends Inlet { pull() { return [1] } }
    export const fails = new Link({ inlets: new Numbers(), outlets: new Refusing(), interval: 1 })
    export const odd = new Link({ inlets: new Numbers(), processors: function wrong() { return 1 }, outlets: new NullOutlet(), interval: 1 })`,
  )
  const ofLink = (link: string) => {
    const transfer = spans.find(({ attributes }) => attributes['databay.link'] === link)
    return spans.filter(({ trace }) => trace === transfer?.trace)
  }
  const exception = {
    name: 'exception',
    attributes: { 'exception.type': 'TypeError', 'exception.message': 'not taken', 'databay.error.code': 'E_NO' },
  }
  const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name)
  t.match(ofLink('fails').sort(byName), [
    { name: 'pull Numbers', status: { code: 0 } },
    { name: 'push Refusing', status: { code: 2, message: 'not taken' }, events: [exception] },
    { name: 'transfer', status: { code: 2, message: 'Refusing failed to push: not taken' }, events: [] },
  ])
  t.notMatch(JSON.stringify(spans), /abcd|stack/)
  t.match(
    ofLink('odd').find(({ name }) => name === 'transfer'),
    {
      status: { code: 2, message: /wrong failed to process: returned/ },
      events: [{ attributes: { 'databay.node': 'processor wrong', 'databay.stage': 'process' } }],
    },
    'also one that is found out after the call',
  )
})

t.test('rounds of a stream lie in the transfer, each with its calls', async (t) => {
  const { url } = await serve(t, (_, response) => void response.end('1'))
  const spans = await spansOf(
    t,
    `class Pages extends Inlet {
      async *pull() {
        for (const page of [1, 2]) {
          await (await fetch('${url}')).text()
          yield [page, page]
        }
      }
    }
    const same = (records) => records
    export const pages = new Link({ inlets: new Pages(), processors: same, outlets: new NullOutlet(), interval: 1 })`,
  )
  const [tree] = treesOf(spans) as [[string, ...[string][]]]
  const [name, ...inner] = tree
  t.equal(name, 'transfer')
  const byName = (one: readonly unknown[], other: readonly unknown[]) => String(one[0]).localeCompare(String(other[0]))
  t.same([...inner].sort(byName), [
    ['pull Pages'],
    ['pull Pages', ['GET']],
    ['pull Pages', ['GET']],
    ['pull Pages'],
    ['round 1', ['process same'], ['push NullOutlet']],
    ['round 2', ['process same'], ['push NullOutlet']],
  ])
  const rounds = spans.filter(({ name }) => name === 'pull Pages').map(({ attributes }) => attributes['databay.round'])
  t.same(rounds, [undefined, 1, 2, 3], 'the call that gives the stream, its lists, and its end')
})

t.test('the spans of mongodb lie in those of pushes', async (t) => {
  const mongo = await mongoServer(t)
  if (mongo.skip !== false) {
    t.comment(mongo.skip)
    return
  }
  const { database } = await mongo.database(t)
  const spans = await spansOf(
    t,
    `class Numbers extends Inlet { pull() { return [{ n: 1 }, { n: 2 }] } }
    export const stored = new Link({
      inlets: new Numbers(), interval: 1,
      outlets: new MongoOutlet({ url: ${JSON.stringify(mongo.url)}, database: '${database}', collection: 'some' }),
    })`,
  )
  t.same(treesOf(spans.filter(({ name }) => !name.includes('listCollections'))), [
    ['transfer', ['pull Numbers'], ['push MongoOutlet', ['insert some']]],
  ])
  t.match(
    spans.find(({ name }) => name === 'insert some'),
    { scope: '@opentelemetry/instrumentation-mongodb' },
  )
})

t.test('what waits in a buffer comes out in a transfer that drains', async (t) => {
  const spans = await spansOf(
    t,
    `class Numbers extends Inlet { pull() { return [1] } }
    export const held = new Link({ inlets: new Numbers(), processors: new Buffer({ countThreshold: 5 }), outlets: new NullOutlet(), interval: 1 })`,
  )
  t.same(treesOf(spans), [
    ['transfer', ['pull Numbers'], ['process Buffer']],
    ['transfer', ['process Buffer'], ['push NullOutlet']],
  ])
  t.equal(spans.filter(({ attributes }) => attributes['databay.drain'] === true).length, 1)
})

t.test('without the option there is none, and without an SDK nothing goes wrong', async (t) => {
  const code = `class Numbers extends Inlet { pull() { return [1] } }
    export const numbers = new Link({ inlets: new Numbers(), outlets: new NullOutlet(), interval: 1 })`
  t.same(await spansOf(t, code, { telemetry: false }), [])
  t.same(await spansOf(t, code, {}, () => ''), [])
})

t.test('an SDK that throws fails no transfer', async (t) => {
  const code = `class Numbers extends Inlet { pull() { return [1] } }
    export const numbers = new Link({ inlets: new Numbers(), outlets: new NullOutlet(), interval: 1, processors: (r) => r })`
  const provider = (tracer: string) => () => `import { trace, context } from '@opentelemetry/api'
    const fail = () => { throw new Error('sdk broken') }
    const good = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }
    const span = { spanContext: () => good, setAttributes: fail, setStatus: fail, addEvent: fail, end: fail }
    trace.setGlobalTracerProvider({ getTracer: () => (${tracer}) })`
  for (const tracer of [
    'fail()',
    '{ startSpan: fail }',
    '{ startSpan: () => ({ spanContext: () => null }) }',
    '{ startSpan: () => span }',
  ]) {
    // a first transfer that fails makes the start reject
    t.same(await spansOf(t, code, { ignoreExceptions: false }, provider(tracer)), [], tracer)
  }
})
