import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import { exitCodeOf, STOP_SIGNALS, type StopSignal } from '../../src/base/stop-signals.js'
import { onSignals } from '../../src/cli/signals.js'

/** Listens to signals, until a second has passed when the test says so. */
function listen(t: Test) {
  const source = new EventEmitter<{ [signal in StopSignal]: [signal: StopSignal] }>()
  const heard: string[] = []
  let passSecond: () => void = () => undefined
  const unlisten = onSignals(
    source,
    { stop: (signal) => heard.push(`stop ${signal}`), stopAtOnce: (signal) => heard.push(`at once ${signal}`) },
    (call) => (passSecond = call),
  )
  t.teardown(unlisten)
  const listeners = () => STOP_SIGNALS.reduce((sum, signal) => sum + source.listenerCount(signal), 0)
  return {
    heard,
    unlisten,
    listeners,
    send: (signal: StopSignal) => source.emit(signal, signal),
    passSecond: () => {
      passSecond()
    },
  }
}

t.test('the first signal asks to stop, one more than a second later to stop at once', async (t) => {
  for (const first of STOP_SIGNALS) {
    for (const second of STOP_SIGNALS) {
      const { send, heard, passSecond } = listen(t)
      send(first)
      passSecond()
      send(second)
      t.same(heard, [`stop ${first}`, `at once ${second}`])
    }
  }
})

t.test('within a second, any further signal is the same wish', async (t) => {
  for (const first of STOP_SIGNALS) {
    const { send, heard } = listen(t)
    send(first)
    for (const second of STOP_SIGNALS) send(second)
    t.same(heard, [`stop ${first}`])
  }
})

t.test('the handlers can be removed', async (t) => {
  const { listeners, unlisten } = listen(t)
  t.equal(listeners(), 3)
  unlisten()
  t.equal(listeners(), 0)
})

t.test('what comes within a second does not end a process that has stopped meanwhile', async (t) => {
  const { listeners, send, heard, unlisten, passSecond } = listen(t)
  send('SIGTERM')
  unlisten()
  t.equal(listeners(), 3)
  send('SIGTERM')
  t.same(heard, ['stop SIGTERM'])
  passSecond()
  t.equal(listeners(), 0)
})

t.test('handlers that were removed after a second are gone at once', async (t) => {
  const { listeners, send, unlisten, passSecond } = listen(t)
  send('SIGTERM')
  passSecond()
  unlisten()
  t.equal(listeners(), 0)
})

t.test('exit codes are as shells have them', async (t) => {
  t.equal(exitCodeOf('SIGINT'), 130)
  t.equal(exitCodeOf('SIGTERM'), 143)
  t.equal(exitCodeOf('SIGHUP'), 129)
})
