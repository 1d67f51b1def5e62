/** Metrics and spans of the main thread, by a real SDK. */
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import t, { type Test } from 'tap'
import { Link } from '../../src/core/link.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { captureLogs } from '../helpers/logs.js'
import { linkModule, workerPlanner } from '../helpers/threads.js'
import { ActInlet, TraceOutlet, type Act } from '../fixtures/nodes.js'

/** Reads metrics when it is asked to. */
class Reader extends MetricReader {
  protected onShutdown(): Promise<void> {
    return Promise.resolve()
  }
  protected onForceFlush(): Promise<void> {
    return Promise.resolve()
  }
}

const reader = new Reader()
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

/** All that the SDK collects now: values by the name of the instrument and their attributes. */
async function collected() {
  const { resourceMetrics, errors } = await reader.collect()
  t.same(errors, [])
  const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
  const values = all.flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ attributes, value }) => {
      const shown = Object.entries(attributes).map(([name, one]) => `${name}=${String(one)}`)
      return [`${descriptor.name}{${shown.join()}}`, value] as readonly [string, unknown]
    }),
  )
  return { values: new Map(values), units: new Map(all.map(({ descriptor }) => [descriptor.name, descriptor.unit])) }
}

const liveLink = (id: string, acts: readonly Act[]) =>
  new Link({ id, inlets: new ActInlet(id, acts), outlets: new TraceOutlet(id), interval: 1000 })

/** A planner of live links with telemetry, which is shut down when the test ends. */
function planner(t: Test, ...links: Link[]) {
  const made = new SchedulePlanner(links, { telemetry: true, immediateTransfer: false, ignoreExceptions: true })
  t.teardown(() => made.shutdown({ wait: false }).catch(() => undefined))
  return made
}

t.test('metrics are what stats() says when they are collected, until the planner is shut down', async (t) => {
  captureLogs(t, 'silent')
  const made = workerPlanner(t, linkModule({ tags: 'some', acts: ['count', { fail: 'error' }, { give: [1, 2] }] }), {
    threads: 1,
    telemetry: true,
    ignoreExceptions: true,
  })
  t.same([...(await collected()).values], [], 'there is nothing before it starts')
  let reads = 0
  const read = made.stats.bind(made)
  made.stats = () => {
    reads++
    return read()
  }
  await made.start()
  for (let transfer = 0; transfer < 3; transfer++) await made.forceTransfer()
  t.equal(reads, 0, 'nothing is worked out before somebody asks')
  const { values, units } = await collected()
  t.equal(reads, 1, 'once for all instruments')
  const [stats] = read().links
  const { durations, lateness } = stats!
  const expected: { readonly [name: string]: number } = {
    'databay.transfers{link=some}': 3,
    'databay.transfers.failed{link=some}': 1,
    'databay.transfers.running{link=some}': 0,
    'databay.records{link=some,stage=pulled}': 3,
    'databay.records{link=some,stage=pushed}': 3,
    'databay.records{link=some,stage=dropped}': 0,
    'databay.transfer.duration{link=some,quantile=0.5}': durations.p50 / 1000,
    'databay.transfer.duration{link=some,quantile=0.99}': durations.p99 / 1000,
    'databay.transfer.duration{link=some,quantile=1}': durations.max / 1000,
    'databay.transfer.duration.sum{link=some}': (durations.count * durations.mean) / 1000,
    'databay.transfer.duration.count{link=some}': 3,
    'databay.lateness.count{link=some}': lateness.count,
    'databay.buffered{link=some}': 0,
    'databay.consecutive_failures{link=some}': 0,
    'databay.last_success{link=some}': stats!.lastSuccessAt! / 1000,
    'databay.thread.transfers.running{thread=1}': 0,
  }
  for (const [name, value] of Object.entries(expected)) t.equal(values.get(name), value, name)
  const utilization = values.get('databay.thread.utilization{thread=1}') as number
  t.ok(utilization >= 0 && utilization <= 1)
  t.ok((values.get('databay.thread.heap.used{thread=1}') as number) > 1e6)
  t.match(
    [...units].filter(([name]) => /duration|lateness|utilization|heap|records/.test(name)),
    [
      ['databay.records', '{record}'],
      ['databay.transfer.duration', 's'],
      ['databay.transfer.duration.sum', 's'],
      ['databay.transfer.duration.count', '{transfer}'],
      ['databay.lateness', 's'],
      ['databay.lateness.sum', 's'],
      ['databay.lateness.count', '{transfer}'],
      ['databay.thread.utilization', '1'],
      ['databay.thread.heap.used', 'By'],
    ],
  )
  await made.shutdown()
  const before = reads
  await collected() // the SDK keeps the last values
  t.equal(reads, before, 'nothing is read after its end')
})

t.test('links that share a name have metrics of their own', async (t) => {
  captureLogs(t, 'silent')
  const twin = (id?: string) =>
    new Link({
      ...(id !== undefined && { id }),
      inlets: new ActInlet('twin', ['count']),
      outlets: new TraceOutlet('twin'),
      interval: 1000,
      tags: 'twin',
    })
  const made = planner(t, twin(), twin(), twin('twin#2'))
  await made.start()
  await made.forceTransfer([0, 2].flatMap((at) => made.links[at] ?? []))
  const { values } = await collected()
  t.same(
    ['twin', 'twin#3', 'twin#2'].map((name) => values.get(`databay.transfers{link=${name}}`)),
    [1, 0, 1],
  )
})

t.test('a live link has spans too, which do not lie in those of the start of its planner', async (t) => {
  captureLogs(t, 'silent')
  exporter.reset()
  const tracer = trace.getTracer('application')
  const made = planner(t, liveLink('here', ['count']))
  await tracer.startActiveSpan('start', async (span) => {
    await made.start()
    await made.forceTransfer()
    span.end()
  })
  await made.addLinks(liveLink('later', ['count']))
  await made.forceTransfer(made.links[1])
  const spans = exporter.getFinishedSpans().filter(({ name }) => name !== 'start')
  t.match(
    spans.map(({ name, parentSpanContext, attributes }) => [
      name,
      parentSpanContext !== undefined,
      attributes['databay.link'],
    ]),
    [
      ['pull ActInlet', true, undefined],
      ['push TraceOutlet', true, undefined],
      ['transfer', false, 'here'],
      ['pull ActInlet', true, undefined],
      ['push TraceOutlet', true, undefined],
      ['transfer', false, 'later'],
    ],
  )
  t.equal(spans[2]?.attributes['databay.thread'], 0)
})

t.test('a link that goes to a planner without telemetry has none', async (t) => {
  captureLogs(t, 'silent')
  const link = liveLink('moves', ['count'])
  const made = planner(t, link)
  await made.start()
  await made.shutdown()
  await made.removeLinks(link)
  exporter.reset()
  const other = new SchedulePlanner(link, { immediateTransfer: false })
  await other.start()
  await other.forceTransfer()
  await other.shutdown()
  t.same(exporter.getFinishedSpans(), [])
})
