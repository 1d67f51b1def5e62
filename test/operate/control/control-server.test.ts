import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { PlannerStateError } from '../../../src/base/errors.js'
import { ControlServer, type Respond } from '../../../src/operate/control/control-server.js'
import { captureLogs } from '../../helpers/logs.js'
import { closed, connected, exchange, shortFolder } from '../../helpers/sockets.js'

const DONE = { type: 'done', begun: 0, made: 0, failed: 0, skipped: 0 } as const
const REQUEST = '{"databay":1,"action":"status"}\n'

async function serve(t: Test, respond: Respond, limits?: ConstructorParameters<typeof ControlServer>[1]) {
  const control = new ControlServer(respond, limits)
  const path = join(shortFolder(t), 's')
  control.server.listen(path)
  control.server.ref() // the test has nothing else to wait for
  await once(control.server, 'listening')
  t.teardown(() => {
    control.close()
  })
  return { control, path }
}

const answersDone: Respond = async (_, answer) => {
  answer(DONE)
}

t.test('a request is answered, however its line arrives', async (t) => {
  const asked: unknown[] = []
  const { path } = await serve(t, async (request, answer) => {
    asked.push(request)
    answer(DONE)
    answer(DONE)
  })
  t.strictSame(await exchange(path, REQUEST), [DONE, DONE])
  const socket = await connected(path)
  for (const character of REQUEST) {
    socket.write(character)
    await wait(0)
  }
  const [data] = (await once(socket, 'data')) as [Buffer]
  t.match(String(data), '"done"')
  t.match(asked, [
    { action: 'status', links: [], tags: [], all: false, wait: true, by: undefined },
    { action: 'status' },
  ])
})

t.test('what is no request is refused, and says what a request is', async (t) => {
  let asked = 0
  const { path } = await serve(t, async () => {
    asked++
  })
  const refused: { readonly [sent: string]: RegExp | string } = {
    'GET / HTTP/1.1\r\n\r\n': 'a request is one line of JSON',
    '\n': 'a request is one line of JSON',
    '\u0000\u00ff\n': 'a request is one line of JSON',
    '[]\n': 'a request is an object such as',
    'null\n': 'a request is an object such as',
    '{"action":"status"}\n': 'a request is an object such as',
    '{"databay":2,"action":"status"}\n': 'speaks version 1 of the protocol',
    '{"databay":1,"action":"statsu"}\n': /request\.action: .*did you mean status\?/,
    '{"databay":1,"action":"force","link":["a"]}\n': /request\.link: .*did you mean links\?/,
    '{"databay":1,"action":"force","links":"a"}\n': 'request.links: expected a list of names',
    '{"databay":1,"action":"force","links":[1]}\n': 'request.links: expected a list of names',
    '{"databay":1,"action":"force","all":1}\n': 'request.all: expected a boolean',
    '{"databay":1,"action":"pause","by":{"pid":"x"}}\n': 'request.by.pid: expected a number',
    '{"databay":1,"action":"pause","by":{"pid":1,"user":"a\\nb"}}\n': 'request.by.user: expected',
    [`${'['.repeat(60_000)}\n`]: 'a request is one line of JSON',
    [`${'x'.repeat(70_000)}\n`]: 'a request may have 65536 bytes',
  }
  for (const [sent, message] of Object.entries(refused)) {
    t.match(await exchange(path, sent), [{ type: 'error', code: /^DATABAY_/, message }], sent.slice(0, 80))
  }
  t.equal(asked, 0, 'nothing was asked for')
  t.match(
    await exchange(path, 'y'.repeat(200_000)),
    [{ type: 'error' }],
    'a line without an end is not read to its end',
  )
})

t.test('what the process throws is answered; what is no error of this package is logged', async (t) => {
  const logs = captureLogs(t)
  let error: Error = new PlannerStateError('the planner is stopping')
  const { path } = await serve(t, () => Promise.reject(error))
  t.strictSame(await exchange(path, REQUEST), [
    { type: 'error', code: 'DATABAY_PLANNER_STATE', message: 'the planner is stopping' },
  ])
  t.equal(logs.lines.length, 0)
  error = new TypeError('x is not a function')
  t.match(await exchange(path, REQUEST), [{ type: 'error', code: 'DATABAY_CONTROL', message: 'x is not a function' }])
  t.equal(logs.lines.length, 1)
})

t.test('a client that sends half a line, or nothing, is ended in time', async (t) => {
  const { path } = await serve(t, answersDone, { request: 100 })
  for (const half of ['', '{"databay":1,']) {
    const socket = await connected(path)
    socket.write(half)
    socket.resume()
    await closed(socket)
  }
  const dripping = await connected(path)
  dripping.resume()
  const drip = setInterval(() => dripping.write(' '), 10)
  await closed(dripping)
  clearInterval(drip)
  const leaving = await connected(path)
  leaving.end('{"databay":1')
  leaving.resume()
  await closed(leaving)
  t.strictSame(await exchange(path, REQUEST), [DONE])
})

t.test('of thousands of connections, some are open, and the others do not count', async (t) => {
  const { path, control } = await serve(t, answersDone, { request: 300 })
  let most = 0
  const counting = setInterval(() => {
    control.server.getConnections((_, count) => {
      most = Math.max(most, count)
    })
  }, 5)
  const all = await Promise.all(
    Array.from({ length: 2000 }, async () => {
      const socket = await connected(path).catch(() => undefined)
      socket?.resume()
      return socket
    }),
  )
  t.ok(all.filter((socket) => socket !== undefined).length > 100)
  await Promise.all(all.map((socket) => (socket === undefined ? Promise.resolve() : closed(socket))))
  clearInterval(counting)
  t.ok(most > 0 && most <= 64, `${most} were open`)
  t.strictSame(await exchange(path, REQUEST), [DONE], 'then requests are answered as before')
})

t.test('a client that does not read is ended, and its answers are dropped', async (t) => {
  const long = 'x'.repeat(16 * 1024 * 1024)
  const { path, control } = await serve(
    t,
    async (_, answer) => {
      answer({ type: 'error', code: 'X', message: long })
    },
    { stalled: 1500 },
  )
  const deaf = await Promise.all([1, 2, 3].map(() => connected(path)))
  for (const socket of deaf) {
    socket.pause()
    socket.write(REQUEST)
    await wait(20)
  }
  t.match(await exchange(path, REQUEST), [{ type: 'error', message: 'too many clients do not read their answers' }])
  const open = () => new Promise((resolve) => control.server.getConnections((_, count) => resolve(count)))
  while ((await open()) !== 0) await wait(50)
  for (const socket of deaf) socket.destroy()
})

t.test('a client that goes on sending is ended', async (t) => {
  const { path } = await serve(t, () => new Promise(() => undefined))
  const socket = await connected(path)
  socket.write(REQUEST)
  const flood = setInterval(() => socket.write('x'.repeat(10_000)), 1)
  socket.resume()
  await closed(socket)
  clearInterval(flood)
})

t.test('a client that goes away while it is answered disturbs nothing', async (t) => {
  let goOn: () => void = () => undefined
  const gone = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let ended = false
  const { path } = await serve(t, async (request, answer) => {
    if (request.action === 'force') {
      await gone
      answer(DONE)
      answer(DONE)
      ended = true
    } else answer(DONE)
  })
  const socket = await connected(path)
  socket.write('{"databay":1,"action":"force"}\n')
  await wait(20)
  socket.destroy()
  await wait(20)
  goOn()
  t.strictSame(await exchange(path, REQUEST), [DONE])
  t.ok(ended)
})

t.test('to close takes no time, whatever clients do', async (t) => {
  const long = 'x'.repeat(4 * 1024 * 1024)
  let asked = 0
  const { path, control } = await serve(
    t,
    async (_, answer) => {
      answer({ type: 'error', code: 'X', message: long })
      asked++
      await new Promise(() => undefined)
    },
    { closing: 1000 },
  )
  const silent = await connected(path)
  silent.resume()
  const deaf = await connected(path)
  deaf.write(REQUEST)
  const reading = exchange(path, REQUEST)
  while (asked < 2) await wait(10)
  const begun = performance.now()
  control.close()
  t.ok(performance.now() - begun < 500)
  t.match(await reading, [{ message: long }], 'who reads gets what was answered')
  await Promise.all([closed(silent), closed(deaf.resume())])
  await t.rejects(connected(path))
})
