import { Writable } from 'node:stream'
import t from 'tap'
import { PrintOutlet, type PrintOutletOptions } from '../../src/outlets/print-outlet.js'
import { Record } from '../../src/record.js'
import { Update } from '../../src/update.js'

const update = new Update(['random_ints'], 2)
const records = [new Record(5, { from: 'a' }), new Record({ a: { b: { c: { d: [1, 2] } } } }), new Record('text')]

/** The texts that a push writes. */
async function printed(options: PrintOutletOptions): Promise<string[]> {
  const texts: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      texts.push(String(chunk))
      setImmediate(done)
    },
  })
  await new PrintOutlet({ ...options, stream }).push(records, update)
  return texts
}

t.test('a batch is one text, with a line per record', async (t) => {
  t.same(await printed({}), [
    "random_ints.2 Record { payload: 5, metadata: { from: 'a' } }\n" +
      'random_ints.2 Record { payload: { a: { b: { c: { d: [ 1, 2 ] } } } }, metadata: {} }\n' +
      "random_ints.2 Record { payload: 'text', metadata: {} }\n",
  ])
})

t.test('only the payload, and without the update', async (t) => {
  const nested = '{ a: { b: { c: { d: [ 1, 2 ] } } } }'
  t.same(await printed({ onlyPayload: true }), [`random_ints.2 5\nrandom_ints.2 ${nested}\nrandom_ints.2 text\n`])
  t.same(await printed({ onlyPayload: true, skipUpdate: true }), [`5\n${nested}\ntext\n`])
  t.match(await printed({ skipUpdate: true }), [/^Record \{ payload: 5/])
})

t.test('a push ends when the text is written, and fails when it cannot be', async (t) => {
  let written: ((error?: Error | null) => void) | undefined
  const stream = {
    write: (_: string, done: (error?: Error | null) => void) => {
      written = done
    },
  }
  const outlet = new PrintOutlet({ stream })
  let ended = false
  const first = outlet.push(records, update).then(() => (ended = true))
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(ended)
  written?.()
  await first
  const second = outlet.push(records, update)
  written?.(new Error('EPIPE'))
  await t.rejects(second, { message: 'EPIPE' })
})

t.test('the stream is standard output unless another is given', async (t) => {
  const { stdout } = process
  const texts: string[] = []
  const stream = {
    write(text: string, done: () => void) {
      texts.push(text)
      done()
    },
  }
  t.teardown(() => Object.defineProperty(process, 'stdout', { value: stdout }))
  Object.defineProperty(process, 'stdout', { value: stream, configurable: true })
  await new PrintOutlet({ onlyPayload: true }).push([new Record(1)], update)
  Object.defineProperty(process, 'stdout', { value: stdout })
  t.same(texts, ['random_ints.2 1\n'])
})

t.test('a print outlet has no state, and its options are checked', async (t) => {
  t.equal(new PrintOutlet().saveState(), undefined)
  const cases: [object, string][] = [
    [{ onlyPayload: 1 }, 'PrintOutlet.onlyPayload: expected a boolean, got 1'],
    [{ skipUpdate: 'no' }, "PrintOutlet.skipUpdate: expected a boolean, got 'no'"],
    [{ stream: {} }, 'PrintOutlet.stream: expected a writable stream'],
    [{ only_payload: true }, 'PrintOutlet.only_payload: expected one of the options'],
  ]
  for (const [options, message] of cases) {
    t.throws(() => new PrintOutlet(options), { message })
  }
})
