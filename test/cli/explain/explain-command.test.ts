import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Explanation } from '../../../src/threads/protocol/explanation.js'
import { command, MAIN } from '../../helpers/command.js'

/*
 * `databay explain` as a process of its own.
 */

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

const folder = t.testdir({
  'links.mjs': `
    import { Buffer, Inlet, Link, Outlet } from 'databay'
    const note = (word) => console.error('note ' + word)
    class Source extends Inlet {
      onStart() { note('start') }
      pull() {
        note('pull')
        return [{ id: 1, price: '12.50' }, { id: 2, price: 'none' }, { id: 3, price: '7' }]
      }
      onTransferEnd(update, delivered) { note('end ' + delivered) }
      onShutdown() { note('stop') }
    }
    class Target extends Outlet {
      onStart() { note('outlet started') }
      push() { note('pushed') }
    }
    const priced = (records) => records
      .filter(({ payload }) => Number(payload.price) > 0)
      .map((one) => one.with({ payload: { ...one.payload, price: Number(one.payload.price) } }))
    const deep = (records) => records.map((one) => one.with({ payload: one.payload.no.such }))
    const link = (options) => new Link({ inlets: new Source(), outlets: new Target(), interval: 5, ...options })
    export const orders = link({
      processors: priced,
      groupers: (batches) => batches.flatMap((batch) => batch.map((one) => [one])),
      outlets: [new Target(), new Target({ name: 'archive', processors: new Buffer({ countThreshold: 9 }) })],
    })
    export const failing = link({ processors: deep })
    class Endless extends Inlet {
      *pull() { try { for (let at = 0; ; at += 2) yield [at, at + 1] } finally { note('closed') } }
    }
    class Waiting extends Inlet {
      async *pull() { yield 1; yield 2; await new Promise(() => undefined) }
    }
    export const endless = link({ inlets: new Endless() })
    export const waiting = link({ inlets: new Waiting() })
    const keep = (records) => [...records]
    const giving = (pull, processors = keep) =>
      link({ processors, copyRecords: false, inlets: new (class Giving extends Inlet { pull() { return pull() } })() })
    export const web = giving(() => new Blob(['hello']).stream())
    export const bytes = giving(() => [new Uint8Array(1_000_000)], (records) =>
      records.map((one) => one.with({ payload: one.payload.map((byte, at) => (at === 999_999 ? 1 : byte)) })))
    export const unreadable = giving(() => [
      { get total() { throw new Error('no total') }, id: 1 },
      { [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no look') }, id: 2 },
    ])
    export const long = giving(() => [{ text: 'x'.repeat(9000) + 'a' }], (records) =>
      records.map((one) => one.with({ payload: { text: 'x'.repeat(9000) + 'b' } })))
    export const slow = giving(async function* () { await new Promise((done) => setTimeout(done, 50)); yield [1] })
    export const hanging = link({ inlets: new class Hanging extends Source { pull() { note('pull'); return new Promise(() => {}) } } })
    export const looping = link({ inlets: new class Looping extends Source { pull() { for (;;); } } })`,
  'durable.mjs': `
    import { Inlet, Link, NullOutlet } from 'databay'
    class Pages extends Inlet {
      pull(update, cursor) {
        const page = cursor.value ?? 0
        cursor.advance(page + 1)
        return [{ page }]
      }
    }
    export const pages = new Link({ inlets: new Pages(), outlets: new NullOutlet(), interval: 0.05, delivery: 'cursor' })`,
})
const links = `${folder}/links.mjs`

async function explain(t: Test, args: string, env: NodeJS.ProcessEnv = {}) {
  const process = command(t, `explain ${args}`, env)
  const code = await process.ended
  const notes = Array.from(process.stderr.matchAll(/^note (.*)$/gm), ([, word]) => word)
  return { code, stdout: process.stdout, stderr: process.stderr, notes }
}

async function explained(t: Test, args: string) {
  const { stdout, ...rest } = await explain(t, `${args} --json`)
  return { ...rest, explanation: JSON.parse(stdout) as Explanation }
}

t.test('each stage tells what it made of the records; outlets are not started', async (t) => {
  const { code, stdout, stderr, notes } = await explain(t, `${links} --link orders`)
  t.equal(code, 0, stderr)
  t.match(stderr, /^databay: pulls orders once: its source may be consumed/)
  t.same(notes, ['start', 'pull', 'end false', 'stop'])
  t.equal(
    stdout.replaceAll(/, (in )?[\d.]+ m?s/g, ''),
    `pull      Source: 3 records
            { id: 1, price: '12.50' }
            { id: 2, price: 'none' }
            { id: 3, price: '7' }
process   processor priced: 3 records > 2, 1 dropped, 2 changed
          ~ { id: 1, price: '12.50' }
              ~ price: '12.50' > 12.5
          - { id: 2, price: 'none' }
          ~ { id: 3, price: '7' }
              ~ price: '7' > 7
group     grouper 0: 2 records in 2 batches (1, 1)
          # { id: 1, price: 12.5 }
          # { id: 3, price: 7 }
push      Target: would be given 2 records in 2 batches (1, 1)
          > { id: 1, price: 12.5 }
          > { id: 3, price: 7 }
  process processor Buffer of archive: 2 records > 0 in 2 calls, 2 held back
            . { id: 1, price: 12.5 }
            . { id: 3, price: 7 }
push      archive: not reached

nothing failed; no outlet was given anything
`,
  )
})

t.test('what fails is shown at its stage, with the records', async (t) => {
  const { code, explanation } = await explained(t, `${links} --link failing --records 2`)
  t.equal(code, 1)
  t.match(explanation.stages, [
    { stage: 'pull', recordsOut: 3 },
    {
      stage: 'process',
      node: 'processor deep',
      recordsIn: 3,
      recordsOut: 0,
      shown: [{ kind: 'failed', text: "{ id: 1, price: '12.50' }" }, { kind: 'failed' }],
      error: { name: 'TypeError', message: /such/ },
    },
    { stage: 'push', node: 'Target', calls: 0 },
  ])
  t.equal(explanation.stages[1]?.shown.length, 2)
})

t.test('a stream ends after its first list, or with the values that came', async (t) => {
  const endless = await explained(t, `${links} --link endless`)
  t.equal(endless.code, 0, endless.stderr)
  t.match(endless.explanation.stages, [{ recordsOut: 2 }, { stage: 'push', batches: [2] }])
  t.same(endless.notes, ['closed'])
  const waiting = await explained(t, `${links} --link waiting --timeout 20s`)
  t.equal(waiting.code, 0, waiting.stderr)
  t.match(waiting.explanation.stages, [{ recordsOut: 2 }, { stage: 'push', batches: [2] }])
})

t.test('a stream that can be read once is read once, and takes its time', async (t) => {
  const { code, explanation, stderr } = await explained(t, `${links} --link web`)
  t.equal(code, 0, stderr)
  t.match(explanation.stages, [{ recordsOut: 1, calls: 1 }, {}, { stage: 'push', recordsIn: 1 }])
  const slow = await explained(t, `${links} --link slow`)
  t.ok((slow.explanation.stages[0]?.took ?? 0) > 40)
})

t.test('payloads of any kind are looked at, and do what they do in a transfer', async (t) => {
  const bytes = await explained(t, `${links} --link bytes`)
  t.equal(bytes.code, 0, bytes.stderr)
  t.match(bytes.explanation.stages[1], { recordsIn: 1, changed: 1, shown: [{ fields: [{ field: 'payload' }] }] })
  t.equal(bytes.explanation.stages[1]?.shown[0]?.fields?.length, 1)
  const unreadable = await explained(t, `${links} --link unreadable`)
  t.equal(unreadable.code, 0, unreadable.stderr)
  t.match(unreadable.explanation.stages[1], { recordsIn: 2, recordsOut: 2, changed: 0 })
  const redacted = await explained(t, `${links} --link unreadable --redact`)
  t.equal(redacted.code, 0, redacted.stderr)
  const long = await explained(t, `${links} --link long`)
  t.match(long.explanation.stages[1], { recordsIn: 1, changed: 1, shown: [{ fields: [{ field: 'text' }] }] })
})

t.test('a pull that hangs is given up in time, and at a signal', async (t) => {
  const late = await explained(t, `${links} --link hanging --timeout 300ms`)
  t.equal(late.code, 1)
  t.match(late.explanation.stages[0]?.error, { message: /did not end within 300 ms/ })
  t.same(late.notes, ['start', 'pull', 'end false', 'stop'])
  const looping = await explain(t, `${links} --link looping --timeout 300ms`)
  t.equal(looping.code, 1)
  t.match(looping.stderr, /thread 1 was lost/)
  const stopped = command(t, `explain ${links} --link hanging`)
  await stopped.until(() => stopped.stderr.includes('note pull'))
  stopped.kill('SIGINT')
  t.equal(await stopped.ended, 130)
})

t.test('cursors are read and not moved; beside a running process, records are given', async (t) => {
  const store = `${t.testdir()}/store`
  const run = command(t, `run ${folder}/durable.mjs --store ${store} --transfers 3`)
  t.equal(await run.ended, 0, run.stderr)
  const sums = () =>
    readdirSync(store).map((name) =>
      createHash('sha1')
        .update(readFileSync(`${store}/${name}`))
        .digest('hex'),
    )
  const before = sums()
  for (let again = 0; again < 2; again++) {
    const { code, explanation, stderr } = await explained(t, `${folder}/durable.mjs --store ${store}`)
    t.equal(code, 0, stderr)
    t.match(explanation, { cursors: [{ inlet: 'Pages', value: '3' }], stages: [{ shown: [{ text: '{ page: 3 }' }] }] })
  }
  t.same(sums(), before)
  const running = command(t, `run ${folder}/durable.mjs --store ${store} --json`)
  await running.until(() => running.stdout.includes('"transfer"'))
  const beside = await explain(t, `${folder}/durable.mjs --store ${store}`)
  t.equal(beside.code, 2)
  t.match(beside.stderr, /--record: expected a file with records, as a running process uses the store/)
  writeFileSync(`${store}.jsonl`, '{"page":7}\n{"payload":{"page":8},"metadata":{"by":"hand"}}\n')
  const given = await explained(t, `${folder}/durable.mjs --store ${store} --record ${store}.jsonl`)
  t.equal(given.code, 0, given.stderr)
  t.match(given.explanation.stages, [
    { node: 'given records', recordsOut: 2 },
    { shown: [{ text: '{ page: 7 }' }, {}] },
  ])
  running.kill('SIGTERM')
  await running.ended
})

t.test('a store that cannot be read is said to be so in one line', async (t) => {
  const store = t.testdir({ 'owner.db': 'garbage', 'store.db': 'garbage' })
  const { code, stdout, stderr, notes } = await explain(t, `${links} --link orders --store ${store}`)
  t.equal(code, 1)
  t.match(stderr, /^databay: .+owner\.db: file is not a database: .*\n$/)
  t.equal(stdout, '')
  t.same(notes, [], 'nothing is pulled')
})

t.test('values are left out', async (t) => {
  const { code, stdout, stderr } = await explain(t, `${links} --link orders --redact --json`)
  t.equal(code, 0)
  t.notMatch(stdout + stderr, /'12\.5|: 12\.5 }/)
  t.match(stdout, /\{ id: number, price: string of 5 \}/)
  const failing = await explain(t, `${links} --link failing --redact --json`)
  t.equal(failing.code, 1)
  t.notMatch(failing.stdout + failing.stderr, /reading|'12\.5/)
})

t.test('a request that is more than a look needs --yes', async (t) => {
  const methods: (string | undefined)[] = []
  const server = createServer((request, response) => {
    methods.push(request.method)
    response.setHeader('content-type', 'application/json').end('[{"a":1}]')
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  writeFileSync(
    `${folder}/post.mjs`,
    `import { HttpInlet, Link, NullOutlet } from 'databay'
     export const post = new Link({
       inlets: new HttpInlet('http://127.0.0.1:${port}/', { method: 'POST' }), outlets: new NullOutlet(), interval: 5,
     })`,
  )
  const refused = await explain(t, `${folder}/post.mjs`)
  t.equal(refused.code, 2)
  t.match(refused.stderr, /--yes: .*HttpInlet.* sends POST requests/)
  t.same(methods, [])
  const { code, explanation } = await explained(t, `${folder}/post.mjs --yes`)
  t.equal(code, 0)
  t.match(explanation.stages[0]?.shown, [{ text: '{ a: 1 }' }])
  t.same(methods, ['POST'])
})

t.test('what is wrong is said', async (t) => {
  writeFileSync(`${folder}/bad.json`, '{"a":1}\nnone\n')
  for (const [args, says] of [
    ['', /--link: expected the id of one link \(there are bytes, endless, failing, /],
    ['--link order', /--link: .*did you mean orders\?/],
    ['--link orders --timeout soon', /--timeout: expected a length of time/],
    ['--link orders --records 0', /--records: expected an integer/],
    [`--link orders --record ${folder}/none.json`, /--record: expected a file that can be read/],
    [`--link orders --record ${folder}/bad.json`, /--record: expected JSON lines or a JSON array: line 2 is none/],
  ] as const) {
    const { code, stderr, notes } = await explain(t, `${links} ${args}`)
    t.equal(code, 2, args)
    t.match(stderr, says)
    t.same(notes, [])
  }
})
