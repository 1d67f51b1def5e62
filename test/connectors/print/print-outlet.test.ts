import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import t from 'tap'
import { PrintOutlet, type PrintOutletOptions } from '../../../src/connectors/print/print-outlet.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { MEASURED } from '../../helpers/command.js'

/**
 * Environment of programs that write to their own standard output. They are measured, as no other test covers that
 * code.
 */
const env = { ...process.env, ...MEASURED }

const update = new Update(['random_ints'], 2)
const records = [new Record(5, { from: 'a' }), new Record({ a: { b: { c: { d: [1, 2] } } } }), new Record('text')]

/** Texts that a push writes. */
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

t.test(
  'a batch that is longer than a text can be is an error that says what to do, and nothing is printed',
  async (t) => {
    const stream = { write: () => t.fail('printed') }
    const batch = Array<Record>(513).fill(new Record('x'.repeat(1 << 20)))
    await t.rejects(new PrintOutlet({ stream, onlyPayload: true }).push(batch, update), {
      code: 'DATABAY_INVALID_PAYLOAD',
      message: /^PrintOutlet: .* smaller batches$/,
    })
  },
)

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

t.test('a stream that fails, is closed or throws fails the push, and not the process', async (t) => {
  const push = (stream: Writable) => new PrintOutlet({ stream }).push(records, update)
  const failing = new Writable({
    write(_chunk, _encoding, done) {
      setImmediate(done, new Error('EPIPE'))
    },
  })
  await Promise.all([t.rejects(push(failing), /EPIPE/), t.rejects(push(failing), /EPIPE/)])
  await t.rejects(push(failing), /destroyed/)
  const hanging = new Writable({ write: () => undefined })
  setImmediate(() => hanging.destroy())
  await t.rejects(push(hanging), { message: 'the stream was closed before the text was written' })
  await t.rejects(push(new Writable({ write: () => undefined }).destroy()), /destroyed|closed/)
  const throwing = { write: () => t.fail() as never }
  throwing.write = () => {
    throw new Error('no')
  }
  await t.rejects(new PrintOutlet({ stream: throwing }).push(records, update), { message: 'no' })
  await new Promise((done) => setImmediate(done))
  for (const stream of [failing, hanging]) t.equal(stream.listenerCount('error') + stream.listenerCount('close'), 0)
})

/** Program that prints `count` times, in the main thread or in another, and tells on standard error how it went. */
function program(folder: string, where: 'main' | 'thread', count: number, size = 1): string {
  const url = (path: string) => JSON.stringify(`file://${resolve(import.meta.dirname, '../../../dist/src', path)}`)
  const path = `${folder}/${where}.mjs`
  writeFileSync(
    path,
    `import { writeSync } from 'node:fs'
    import { Worker, isMainThread, threadId } from 'node:worker_threads'
    const { PrintOutlet, Record, Update } = await import(${url('index.js')})
    const { shareLocks } = await import(${url('base/locks.js')})
    shareLocks()
    if (isMainThread && ${where === 'thread'}) for (let i = 0; i < ${size > 1 ? 3 : 1}; i++) new Worker(new URL(import.meta.url))
    else {
      const outlet = new PrintOutlet({ onlyPayload: true, skipUpdate: true })
      const lines = Array.from({ length: ${size} }, (_, i) => new Record('line ' + threadId + ' ' + i + ' ' + 'x'.repeat(${size > 1 ? 80 : 0})))
      for (let i = 0; i < ${count}; i++) {
        const ended = await outlet.push(lines, new Update(['p'], i)).then(() => 'ok', (error) => error.code)
        writeSync(2, ended + '\\n')
        await new Promise((done) => setTimeout(done, 100))
      }
    }`,
  )
  return path
}

for (const where of ['main', 'thread'] as const) {
  t.test(`what cannot be printed fails, in the ${where}`, async (t) => {
    const path = program(t.testdir(), where, 3)
    const full = spawnSync('sh', ['-c', `"${process.execPath}" "${path}" > /dev/full`], { encoding: 'utf8', env })
    t.equal(full.stderr, 'ENOSPC\nENOSPC\nENOSPC\n')
    const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'], env })
    child.stdout.destroy()
    let text = ''
    child.stderr.on('data', (chunk) => (text += String(chunk)))
    await once(child, 'close')
    t.equal(text, 'EPIPE\nEPIPE\nEPIPE\n')
  })
}

t.test('batches of several threads do not mix, also when the reader is slow', async (t) => {
  const path = program(t.testdir(), 'thread', 2, 5000)
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'], env })
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    await new Promise((done) => setImmediate(done))
  }
  const lines = text.trimEnd().split('\n')
  t.equal(lines.length, 3 * 2 * 5000)
  const batches = Array.from({ length: 6 }, (_, batch) => lines.slice(batch * 5000, (batch + 1) * 5000))
  for (const batch of batches) {
    const thread = batch[0]?.split(' ')[1]
    t.ok(batch.every((line, i) => line === `line ${thread} ${i} ${'x'.repeat(80)}`))
  }
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
    [{ only_payload: true }, 'PrintOutlet.only_payload: expected one of the options, '],
  ]
  for (const [options, message] of cases) {
    t.throws(() => new PrintOutlet(options), { message })
  }
})

t.test('long lists and texts are printed whole', async (t) => {
  const printed: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      printed.push(String(chunk))
      done()
    },
  })
  const payload = { list: Array.from({ length: 500 }, (_, at) => at), text: 'x'.repeat(20_000) }
  await new PrintOutlet({ stream, onlyPayload: true, skipUpdate: true }).push([new Record(payload)], update)
  t.match(printed.join(''), /498, 499 \]/)
  t.ok(printed.join('').includes(payload.text))
})

t.test('a record is one line, whatever is in it, also when a class fails to show itself', async (t) => {
  const texts: string[] = []
  const stream = {
    write: (text: string, done?: () => void) => {
      texts.push(text)
      done?.()
      return true
    },
  }
  class Odd {
    n = 1;
    [inspect.custom](): never {
      throw new Error('no')
    }
  }
  const odd = [{ error: new Error('a\nforged') }, { name: Symbol('\x1b[2J\n') }, new Odd()].map(
    (payload) => new Record(payload),
  )
  await new PrintOutlet({ stream: stream as unknown as Writable }).push(odd, update)
  const lines = texts.join('').split('\n')
  t.equal(lines.length, 4)
  t.match(lines[0], /^random_ints\.2 Record .*a\\n +forged/)
  t.match(lines[1], /Symbol\(\\x1b\[2J\\n\)/)
  t.match(lines[2], /Odd \{ n: 1 \}/)
})
