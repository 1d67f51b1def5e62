import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import { exitCodeOf, onSignals, type SignalOptions } from '../../src/cli/signals.js'
import type { StopSignal } from '../../src/cli/process-context.js'

function heed(t: Test, options?: SignalOptions) {
  const source = new EventEmitter<{ [signal in StopSignal]: [signal: StopSignal] }>()
  const heard: string[] = []
  const unheed = onSignals(
    source,
    { stop: (signal) => heard.push(`stop ${signal}`), stopAtOnce: (signal) => heard.push(`at once ${signal}`) },
    options,
  )
  t.teardown(unheed)
  return { heard, unheed, source, send: (signal: StopSignal) => source.emit(signal, signal) }
}

t.test('the first signal asks to stop, any further one to stop at once', async (t) => {
  const { send, heard } = heed(t)
  send('SIGTERM')
  send('SIGINT')
  t.same(heard, ['stop SIGTERM', 'at once SIGINT'])
})

t.test('without an echo a repeated signal counts, however soon', async (t) => {
  const { send, heard } = heed(t, { now: () => 0 })
  send('SIGINT')
  send('SIGINT')
  t.same(heard, ['stop SIGINT', 'at once SIGINT'])
})

t.test('the echo of a Ctrl-C is not a second one', async (t) => {
  let now = 0
  const { send, heard } = heed(t, { echo: 250, now: () => now })
  send('SIGINT')
  now = 249
  send('SIGINT')
  t.same(heard, ['stop SIGINT'])
  now = 250
  send('SIGINT')
  t.same(heard, ['stop SIGINT', 'at once SIGINT'])
})

t.test('no other signal has an echo', async (t) => {
  const { send, heard } = heed(t, { echo: 250, now: () => 0 })
  send('SIGTERM')
  send('SIGTERM')
  t.same(heard, ['stop SIGTERM', 'at once SIGTERM'])
})

t.test('the handlers can be removed', async (t) => {
  const { source, unheed } = heed(t)
  t.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 2)
  unheed()
  t.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0)
})

t.test('exit codes are as shells have them', async (t) => {
  t.equal(exitCodeOf('SIGINT'), 130)
  t.equal(exitCodeOf('SIGTERM'), 143)
})
