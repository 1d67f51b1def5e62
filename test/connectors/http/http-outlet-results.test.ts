import { inspect } from 'node:util'
import t from 'tap'
import type { HttpResults } from '../../../src/connectors/http/outlet/results.js'
import { failureClass } from '../../../src/core/failure-class.js'
import { pushed, quick, started, target } from '../../helpers/http-outlets.js'
import { captureLogs } from '../../helpers/logs.js'

t.test('results say what became of each record of a batch', async (t) => {
  const { url } = await target(t, (response) =>
    response
      .writeHead(207, { 'content-type': 'application/problem+json; charset=utf-8' })
      .end('{"items":[{"ok":true},{"ok":false,"why":"too old"},{"ok":true},{"ok":false}],"big":9007199254740993}'),
  )
  const outlet = await started(t, url, {
    send: 'batch',
    results: async ({ status, headers, body }, records) => {
      await Promise.resolve()
      const { items, big } = body as { items: { ok: boolean; why?: string }[]; big: bigint }
      t.same([status, big, records.map(({ payload }) => payload)], [207, 9007199254740993n, ['a', 'b', 'c', 'd']])
      t.match(headers, { 'content-type': /json/ })
      return items.map(({ ok, why }) => (ok ? undefined : why === undefined ? false : new Error(why)))
    },
  })
  const { error, refused, waits, why } = await pushed(outlet, ['a', 'b', 'c', 'd'])
  t.same([refused, waits], [[1, 3], []])
  t.match(error, { code: 'DATABAY_PARTIAL_PUSH', taken: 2 })
  t.match(why, /the response refuses the record: too old/)
})

t.test('records that a response does not take for now are sent again alone', async (t) => {
  captureLogs(t)
  const { url, got } = await target(t, (response) => response.end())
  let calls = 0
  const results: HttpResults = (_, records) => {
    calls++
    return records.map(({ payload }) =>
      payload === 'never' || (payload === 'later' && calls < 2) ? { retry: true } : true,
    )
  }
  const outlet = await started(t, url, { send: 'batch', results, retry: quick })
  const { waits, refused, why } = await pushed(outlet, ['a', 'later', 'b', 'never'])
  t.same([waits, refused], [[3], []])
  t.match(why, /the response does not take 1 of 1 records for now/)
  t.same(
    got.map(({ text }) => text),
    ['["a","later","b","never"]', '["later","never"]', '["never"]'],
  )
})

t.test('a body is parsed by its type', async (t) => {
  const seen: unknown[] = []
  const types: [string, string][] = [
    ['application/json', '[1]'],
    ['application/x-ndjson', '1\n{"a":2}\n'],
    ['text/plain', '[1]'],
    ['application/json', ''],
  ]
  const { url } = await target(t, (response, { text }) => {
    const [type, body] = types[Number(text)] ?? ['', '']
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  const outlet = await started(t, url, { concurrency: 1, results: ({ body }) => void seen.push(body) })
  await pushed(outlet, [...types.keys()])
  t.same(seen, [[1], [1, { a: 2 }], '[1]', undefined])
})

t.test('results that say nothing of use', async (t) => {
  const { url, got } = await target(t, (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  )
  const wrong: [HttpResults, RegExp][] = [
    [() => [true], /has the status 200, but results\(\) gave 1 results: expected 2, one for each record/],
    [() => [true, true, true], /gave 3 results: expected 2/],
    [() => 'all' as never, /results\(\) gave something of type string: expected a list/],
    [() => [true, 'no' as never], /results\(\) gave something else for record 1: expected true, false/],
    [() => [true, { retry: false } as never], /something else for record 1/],
    [
      () => {
        throw new Error('it is broken')
      },
      /results\(\) failed: it is broken/,
    ],
    [() => Promise.reject(new Error('it is broken')), /results\(\) failed: it is broken/],
  ]
  for (const [results, message] of wrong) {
    got.length = 0
    const outlet = await started(t, url, { send: 'batch', results, retry: quick, idempotencyKey: true })
    const { error, why } = await pushed(outlet, [1, 2])
    t.match(why, message)
    t.equal(failureClass(error), 'unknown', 'nobody knows what was taken')
    t.equal(got.length, 1)
  }
  const broken = await target(t, (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"hush"'),
  )
  const { why, error } = await pushed(await started(t, broken.url, { results: () => undefined }), [1])
  t.match(why, /the response does not contain valid JSON, as its content-type says/)
  t.notMatch(inspect(error), /hush/, 'a response may repeat what was sent')
  const hanging = await started(t, url, { results: () => new Promise(() => undefined), timeout: { milliseconds: 50 } })
  t.match((await pushed(hanging, [1])).why, /no response within 50 ms/)
})

t.test('an error of results that passes is one of the server', async (t) => {
  const { url } = await target(t)
  const busy = Object.assign(new Error('busy'), { retryable: true })
  const { waits } = await pushed(await started(t, url, { results: () => [busy] }), [1])
  t.same(waits, [0])
})
