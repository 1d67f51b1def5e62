/** HttpOutlet keeps the contract of all outlets, and what it promises with `delivery`. */
import { createServer } from 'node:net'
import t from 'tap'
import { HttpOutlet, type HttpOutletOptions } from '../../../src/index.js'
import { OutletTester, type OutletSetup } from '../../../src/testing/index.js'
import { Lists, setUp } from '../../helpers/durable-links.js'
import { quick, target } from '../../helpers/http-outlets.js'
import { listen } from '../../helpers/servers.js'

t.test('the contract', async (t) => {
  const arrived: unknown[] = []
  let broken = false
  const { url } = await target(t, (response, { headers, text }) => {
    if (broken) return response.writeHead(503).end()
    if (headers['content-type']?.includes('ndjson') === true) {
      for (const line of text.split('\n').slice(0, -1)) arrived.push(JSON.parse(line))
    } else if (headers['content-type']?.includes('form') === true) {
      arrived.push(Object.fromEntries(new URLSearchParams(text)))
    } else {
      const value: unknown = JSON.parse(text)
      if (headers['x-send'] === 'batch') arrived.push(...(value as unknown[]))
      else arrived.push(value)
    }
    return response.end('[]')
  })
  const hole = createServer(() => undefined)
  const holePort = await listen(hole)
  t.teardown(() => hole.close())
  const setup = (own: HttpOutletOptions): OutletSetup => {
    const options = { retry: { retries: 0 }, headers: { 'x-send': own.send ?? 'record', 'x-key': 'hush' }, ...own }
    return {
      create: (given) => new HttpOutlet(`${url.replace('//', '//me:hush@')}/a?key=hush`, { ...options, ...given }),
      read: () => [...arrived],
      before: () => void (arrived.length = 0),
      kinds: own.format === 'form' ? [] : [{ list: [1, { nested: true }], none: null }, [1, 2], 'text', 7, null],
      invalid: [{ f: () => 1 }, { n: Number.NaN }],
      arrives: (payload) =>
        own.format === 'form'
          ? Object.fromEntries(Object.entries(payload as object).map(([name, value]) => [name, String(value)]))
          : payload,
      ordered: own.order === 'strict' || own.send === 'batch',
      batch: 40,
      secrets: ['hush'],
      breakTarget: () => {
        broken = true
        return () => {
          broken = false
        }
      },
      hanging: (given) => new HttpOutlet(`http://127.0.0.1:${holePort}`, { ...options, ...given }),
    }
  }
  await new OutletTester({
    'HttpOutlet, record by record': setup({}),
    'HttpOutlet, in strict order': setup({ order: 'strict' }),
    'HttpOutlet, batches': setup({ send: 'batch' }),
    'HttpOutlet, batches of lines, by a target': setup({
      send: 'batch',
      format: 'ndjson',
      batchSize: 7,
      target: () => 'b',
    }),
    'HttpOutlet, forms': setup({ format: 'form', concurrency: 2 }),
    'HttpOutlet, with results and keys': setup({ idempotencyKey: true, results: () => undefined }),
  }).run(t)
})

t.test(
  'with delivery, what is refused is a dead letter, and what is unavailable comes later, under the same key',
  async (t) => {
    const { open, letters } = await setUp(t)
    const taken = new Map<string, string>()
    let down = true
    const { url, got } = await target(t, (response, { text, headers }) => {
      if (text === '"bad"') return response.writeHead(422).end()
      if (text === '"later"' && down) return response.writeHead(503).end()
      taken.set(String(headers['idempotency-key']), text)
      return response.end()
    })
    const outlet = new HttpOutlet(url, { idempotencyKey: true, retry: { ...quick, retries: 0 } })
    const link = await open(new Lists(['a', 'bad', 'later', 'b'], ['c']), outlet, {
      retry: { minDelay: { milliseconds: 1 } },
    })
    t.teardown(() => link.onShutdown())
    const report = await link.transfer()
    t.ok(report.errors.length > 0)
    t.same([...taken.values()].toSorted(), ['"a"', '"b"'], 'others are not kept back')
    down = false
    await link.transfer()
    await link.transfer()
    t.same([...taken.values()].toSorted(), ['"a"', '"b"', '"c"', '"later"'])
    t.match(letters.list({ limit: 10 }), [{ error: { message: /the response has the status 422/ } }])
    t.equal(letters.list({ limit: 10 }).length, 1)
    const keys = got.filter(({ text }) => text === '"later"').map(({ headers }) => headers['idempotency-key'])
    t.equal(new Set(keys).size, 1)
    t.equal(got.filter(({ text }) => text === '"a"').length, 1)
  },
)
