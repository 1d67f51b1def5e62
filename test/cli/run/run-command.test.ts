import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { LinkSelection } from '../../../src/core/link-selection.js'
import { databay } from '../../../src/cli/databay.js'
import { runCommand } from '../../../src/cli/run/run-command.js'
import { fakeContext, words } from '../../helpers/command.js'
import { until } from '../../helpers/threads.js'

t.test('the command ends with the exit code of its command line', async (t) => {
  t.same(await databay(fakeContext(['--version'])), { code: 0, signal: undefined })
  t.same(await databay(fakeContext(['run'])), { code: 2, signal: undefined })
})

t.test('it leaves streams and signals as they were', async (t) => {
  const context = fakeContext(words('run --threads 1 --once rare.mjs'), { columns: 80 })
  t.same(await databay(context), { code: 0, signal: undefined })
  const { signals, stdout, stderr } = context
  t.same([...signals.eventNames(), ...stdout.eventNames(), ...stderr.eventNames()], [])
  t.notOk(Object.hasOwn(stderr, 'write'))
})

t.test('--watch says what it has loaded anew, and a signal ends it in order', async (t) => {
  const version = (name: string) => `
    import { Link, NullInlet, NullOutlet } from 'databay'
    export const ${name} = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 0.1, tags: '${name}' })`
  const file = path.join(t.testdir({ 'links.mjs': version('old') }), 'links.mjs')
  const context = fakeContext(['run', '--threads', '1', '--watch', file])
  const ended = databay(context)
  await until(() => context.stderr.text.includes('started 1 link of 1 module'))
  writeFileSync(file, version('fresh'))
  await until(() => context.stderr.text.includes(`${pathToFileURL(file).href} is loaded anew`))
  context.signals.emit('SIGTERM', 'SIGTERM')
  t.same(await ended, { code: 0, signal: undefined })
  t.match(context.stderr.text, /SIGTERM: waiting for \d+ running transfers?, then draining buffers/)
})

t.test('a standard output that cannot be written stops it in order, and says so', async (t) => {
  const context = fakeContext(words('run --threads 1 rare.mjs'))
  const ended = databay(context)
  await until(() => context.stderr.text.includes('started'))
  context.stdout.emit('error', new Error('no space left'))
  context.stdout.emit('error', new Error('no space left, again'))
  const printed = new PassThrough()
  context.stdout.emit('unpipe', printed)
  t.ok(printed.readableFlowing, 'what a thread still prints does not keep it waiting')
  t.same(await ended, { code: 1, signal: undefined })
  t.match(context.stderr.text, /^databay: standard output cannot be written: no space left$/m)
})

t.test('--http serves metrics and probes, and says where', async (t) => {
  const context = fakeContext(words('run --threads 1 --log-level info rare.mjs --http 0'))
  const ended = databay(context)
  await until(() => context.stderr.text.includes('started'))
  const [, url = 'nowhere'] = /metrics and probes on (http:\/\/127\.0\.0\.1:\d+):/.exec(context.stderr.text) ?? []
  t.equal(await (await fetch(`${url}/readyz`)).text(), 'ready\n')
  t.match(await (await fetch(`${url}/metrics`)).text(), /^databay_thread_heap_used_bytes\{thread="1"\} [1-9]/m)
  context.signals.emit('SIGTERM', 'SIGTERM')
  t.same(await ended, { code: 0, signal: undefined })
})

t.test('a port in use ends it before anything is started, without a stack', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const context = fakeContext(words(`run --threads 1 rare.mjs --http ${port}`))
  t.same(await databay(context), { code: 1, signal: undefined })
  t.match(
    context.stderr.text,
    `databay: http: cannot listen on 127.0.0.1:${port}: another program listens there (EADDRINUSE)`,
  )
  t.notMatch(context.stderr.text, /^ +at |started/m)
})

t.test('an address that is none is a bad argument, also where it is a link module', async (t) => {
  const bad = async (line: string, expected: string, env = {}) => {
    const context = fakeContext(words(line), { env })
    t.same(await databay(context), { code: 2, signal: undefined }, line)
    t.match(context.stderr.text, expected)
    t.notMatch(context.stderr.text, /^ +at /m)
  }
  await bad('run rare.mjs --http 70000', '--http: expected a port from 0 to 65535')
  await bad('run --http rare.mjs', 'a file that follows --http is taken for its address')
  await bad('run rare.mjs', 'DATABAY_HTTP: expected a port', { DATABAY_HTTP: 'http://a:1' })
})

t.test('what the planner finds wrong with its options are bad arguments', async (t) => {
  const context = fakeContext([])
  const ending = await runCommand(
    {
      command: 'run',
      modules: ['https://some.test/links.js'],
      selection: new LinkSelection([], []),
      ignoreExceptions: false,
      quiet: false,
      color: true,
      planner: { threads: 1, transfersPerThread: 1, transfers: 1 },
      once: false,
      logLevel: undefined,
      json: false,
      watch: false,
      watchPath: [],
    },
    context,
  )
  t.same(ending, { code: 2, signal: undefined })
  t.match(context.stderr.text, /^databay: links\[0\]: expected a path or a file: URL of a link module, got /)
})
