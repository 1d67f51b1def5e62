import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { Record } from '../../../src/core/record.js'
import { offload, type OffloadOptions } from '../../../src/threads/main/offload.js'
import { unpack } from '../../../src/threads/protocol/records.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { loopbackThread } from '../../helpers/loopback.js'
import { fixture, measureThreads, openGate, tracesOf, until } from '../../helpers/threads.js'

measureThreads()

const processors = fixture('processors.ts')
const payloads = (records: readonly Record[]) => records.map(({ payload }) => payload)
const records = (...values: unknown[]) => values.map((value) => new Record(value))

async function pool(t: Test, size = 2) {
  const places = await Promise.all(
    Array.from({ length: size }, async (_, at) => {
      const { thread, adopt } = loopbackThread(at + 1)
      t.teardown(() => thread.end())
      return { thread, loopback: await adopt() }
    }),
  )
  const threads = places.map(({ thread }) => thread)
  /** Sizes of the chunks that each thread was given. */
  const chunks = () =>
    places.map(({ loopback }) =>
      loopback.tasks.flatMap((task) =>
        'call' in task && task.call === 'process' ? [unpack(task.records).length] : [],
      ),
    )
  const processor = (options?: OffloadOptions) => offload({ threads }, processors, options ?? {})
  const idle = () => threads.every((thread) => !thread.busy)
  return { processor, chunks, idle }
}

t.test('records are processed in the threads, and come back in their order', async (t) => {
  const { processor, chunks } = await pool(t)
  const input = Array.from({ length: 10 }, (_, index) => index)
  t.same(payloads(await processor({ chunk: 2 })(records(...input), new Update(['a'], 0))), [
    ...[0, 2, 4, 6, 8],
    ...[10, 12, 14, 16, 18],
  ])
  t.same(chunks().flat(), [2, 2, 2, 2, 2])
  t.ok(
    chunks().every((one) => one.length > 0),
    'over all of them',
  )
})

t.test('what comes back may be fewer, and none needs no thread', async (t) => {
  const { processor, chunks } = await pool(t)
  const odd = processor({ export: 'odd', chunk: 3 })
  t.same(payloads(await odd(records(1, 2, 3, 4, 5, 6, 7), new Update([], 0))), [1, 3, 5, 7])
  t.same(await processor()([], new Update([], 0)), [])
  t.equal(chunks().flat().length, 3)
})

t.test('a chunk is 1000 records unless told otherwise, and the last one what is left', async (t) => {
  const { processor, chunks } = await pool(t)
  await processor()(records(...Array.from({ length: 2500 }, () => 1)), new Update([], 0))
  t.same(chunks().flat().sort(), [1000, 1000, 500])
})

t.test('single chunks go to the threads in turn', async (t) => {
  const { processor, chunks } = await pool(t)
  const double = processor()
  for (let times = 0; times < 4; times++) await double(records(1), new Update([], times))
  t.same(chunks(), [
    [1, 1],
    [1, 1],
  ])
})

t.test('a thread takes the next chunk as soon as it is done with one', async (t) => {
  const logs = captureLogs(t)
  const { processor, chunks } = await pool(t)
  const gated = processor({ export: 'gatedFirst', chunk: 1 })
  const processing = gated(records('gated', 1, 2, 3, 4), new Update([], 0))
  await until(() => tracesOf(logs).includes('processor waits') && chunks().flat().length === 5)
  t.same(
    chunks().map((one) => one.length),
    [1, 4],
  )
  openGate('processor')
  t.same(payloads(await processing), ['gated', 1, 2, 3, 4])
})

t.test('it sees which transfer it is, and metadata that is shared as it was', async (t) => {
  const logs = captureLogs(t)
  const { processor } = await pool(t)
  await processor({ export: 'where' })(records(1, 2), new Update(['a', 'b'], 7))
  t.match(tracesOf(logs), [/^2 records of a\.b\.7 in/])
  const metadata = Object.freeze({ __inlet__: 'One' })
  const shared = [1, 2, 3].map((value) => new Record(value, metadata))
  const processed = await processor({ export: 'sharesMetadata' })(shared, new Update([], 0))
  t.same(payloads(processed), [true, true, true])
  t.same(processed[0]?.metadata, metadata)
  t.equal(processed[0]?.metadata, processed[2]?.metadata, 'and it is shared when it comes back')
})

t.test('it is called after its export', async (t) => {
  const { processor } = await pool(t)
  t.equal(processor().name, 'default')
  t.equal(processor({ export: 'odd' }).name, 'odd')
})

t.test('a missing export names the module', async (t) => {
  const { processor } = await pool(t)
  await t.rejects(async () => processor({ export: 'missing' })(records(1), new Update([], 0)), {
    code: 'DATABAY_LINK_MODULE',
    message: `${processors.href}: exports no function missing to process records with`,
  })
})

t.test('an error of the processor is as it was thrown', async (t) => {
  const { processor } = await pool(t)
  await t.rejects(async () => processor({ export: 'fails' })(records(1, 2), new Update([], 0)), {
    name: 'TypeError',
    code: 'E_TAKE',
    message: 'cannot take 2',
    records: 2,
    stack: /processors\.ts/,
  })
})

t.test('when a chunk fails, no further ones are begun', async (t) => {
  const { processor, chunks, idle } = await pool(t)
  const input = records(13, ...Array.from({ length: 50 }, (_, index) => index + 100))
  await t.rejects(async () => processor({ export: 'failsAt13', chunk: 1 })(input, new Update([], 0)), {
    message: 'unlucky',
  })
  await until(idle)
  const begun = chunks().flat().length
  t.ok(begun < 25, `${begun} of 51 chunks`)
})

t.test('when the transfer is told to stop, no further chunks are begun, and it rejects with the reason', async (t) => {
  const logs = captureLogs(t)
  const { processor, chunks } = await pool(t, 1)
  const cancellation = new Cancellation()
  const processing = Promise.resolve(
    processor({ export: 'gatedFirst', chunk: 1 })(records('gated', 2, 3), new Update([], 0, cancellation)),
  )
  await until(() => tracesOf(logs).includes('processor waits'))
  cancellation.cancel(new Error('enough'))
  openGate('processor')
  await t.rejects(processing, { message: 'enough' })
  t.same(chunks(), [[1]])
})

t.test('without threads it is an error that says so', async (t) => {
  const processor = offload({ threads: [] }, processors, {})
  await t.rejects(async () => processor(records(1), new Update([], 0)), {
    code: 'DATABAY_PLANNER_STATE',
    message: 'processor default needs the threads of a running planner',
  })
})

t.test('options are checked', async (t) => {
  const make = (module: unknown, options: unknown) => () =>
    offload({ threads: [] }, module as URL, options as OffloadOptions)
  t.throws(make('https://x.test/', {}), { code: 'DATABAY_INVALID_OPTION', option: 'module' })
  t.throws(make(processors, { exports: 'odd' }), {
    message: /^exports: expected one of the options, got 'exports': did you mean export\? They are export, chunk$/,
  })
  t.throws(make(processors, null), { message: /^options: expected an object, got null$/ })
  t.throws(make(processors, { export: 5 }), {
    option: 'export',
    message: /^export: expected the name of an export, got 5/,
  })
  for (const chunk of [0, -1, 1.5, '5', NaN]) {
    t.throws(make(processors, { chunk }), {
      option: 'chunk',
      message: /^chunk: expected an integer of at least 1, got /,
    })
  }
})
