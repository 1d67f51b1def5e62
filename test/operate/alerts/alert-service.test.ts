import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  type Cursor,
  Inlet,
  InvalidPayloadError,
  Link,
  NullOutlet,
  Outlet,
  SchedulePlanner,
  Secret,
  type Update,
  type AlertMessage,
  type AlertOptions,
} from '../../../src/index.js'
import { messageOf } from '../../../src/operate/alerts/alert-message.js'
import { readAlerts } from '../../../src/operate/alerts/alert-options.js'
import { captureLogs } from '../../helpers/logs.js'
import { serve } from '../../helpers/servers.js'

/** Inlet that fails while it is told to. */
class Flaky extends Inlet<number> {
  fails = true
  message = 'the source is down'

  pull(): number {
    if (this.fails) throw new Error(this.message)
    return 1
  }
}

const SOON: Partial<AlertOptions> = { groupWait: 0, retry: { retries: 1, minDelay: 0.01 } }

/** A planner whose links transfer when they are forced to. */
async function start(t: Test, alerts: AlertOptions | AlertOptions[], ids = ['orders']) {
  const inlets = ids.map(() => new Flaky())
  const links = inlets.map(
    (inlet, at) =>
      new Link({ inlets: inlet, outlets: new NullOutlet(), interval: 3600, id: ids[at] ?? '', tags: ['shop'] }),
  )
  const planner = new SchedulePlanner(links, { ignoreExceptions: true, immediateTransfer: false, alerts })
  t.teardown(() => planner.shutdown())
  await planner.start()
  /** Transfers several times, with each link failing or not. */
  const transfer = async (times: number, fails: boolean) => {
    for (const inlet of inlets) inlet.fails = fails
    for (let time = 0; time < times; time++) await planner.forceTransfer()
  }
  return { planner, inlets, transfer }
}

/** Starts a receiver of messages. */
async function receive(t: Test, answer: (count: number) => number | undefined = () => 204) {
  const messages: AlertMessage[] = []
  const headers: NodeJS.Dict<string | string[]>[] = []
  const bodies: string[] = []
  const { server, url } = await serve(t, (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const status = answer(bodies.length)
      bodies.push(body)
      headers.push(request.headers)
      if (status !== undefined && status < 300) messages.push(JSON.parse(body) as AlertMessage)
      if (status !== undefined) response.writeHead(status).end('what is wrong')
      server.emit('received')
    })
  })
  const until = async (count: number) => {
    while (bodies.length < count) await once(server, 'received')
  }
  return { url, messages, headers, bodies, until }
}

t.test('a link that fails is told once, so is its recovery, and there is no third message', async (t) => {
  const { url, messages, headers, until } = await receive(t)
  const webhook = { url, headers: { authorization: new Secret('Bearer hook-token') } }
  const { planner, transfer } = await start(t, { ...SOON, webhook })
  await transfer(2, true)
  await transfer(1, false)
  await transfer(5, true)
  await until(1)
  await transfer(20, false)
  await until(2)
  await transfer(20, false)
  await transfer(2, true)
  await planner.shutdown()
  t.equal(messages.length, 2)
  const [alert, recovery] = messages
  t.match(alert, {
    status: 'trouble',
    title: 'databay: orders is in trouble',
    text: 'orders failed 3 times in a row: Flaky failed to pull: the source is down',
    alerts: [
      {
        status: 'trouble',
        kind: 'failing',
        link: 'orders',
        tags: ['shop'],
        error: 'the source is down',
        node: 'Flaky',
        stage: 'pull',
      },
    ],
  })
  t.match(recovery, {
    status: 'recovered',
    title: 'databay: orders has recovered',
    text: /^orders transfers again after \d+ s$/,
  })
  t.equal(headers[0]?.['authorization'], 'Bearer hook-token')
  t.equal(headers[0]?.['content-type'], 'application/json')
})

t.test('many links that fail at once are one message', async (t) => {
  const { url, messages, until } = await receive(t)
  const ids = Array.from({ length: 30 }, (_, at) => `link_${at}`)
  const { planner, transfer } = await start(t, { ...SOON, groupWait: { milliseconds: 100 }, webhook: url }, ids)
  await transfer(4, true)
  await until(1)
  await planner.shutdown()
  t.equal(messages.length, 1)
  t.equal(messages[0]?.alerts.length, 30)
  t.match(messages[0]?.text, /and 10 more$/)
})

t.test('a message is about the links that are chosen, each rule for itself', async (t) => {
  const told: string[] = []
  const rule = (name: string, links: string | string[]): AlertOptions => ({
    ...SOON,
    links,
    failures: 1,
    call: ({ alerts }) => told.push(...alerts.map(({ link = '' }) => `${name} ${link}`)),
  })
  const rules = [
    rule('a', 'orders_*'),
    rule('b', ['tag:shop']),
    rule('c', 'tag:other'),
    { ...rule('d', '*'), on: 'blocked' as const },
  ]
  const { planner, transfer } = await start(t, rules, ['orders_eu', 'prices'])
  await transfer(1, true)
  await planner.shutdown()
  t.same(told.sort(), ['a orders_eu', 'b orders_eu', 'b prices'])
})

t.test('a pattern that no link fits is said when the planner has started', async (t) => {
  const { messages: logged } = captureLogs(t)
  const call = () => undefined
  await start(
    t,
    [
      { call, links: ['ordres_*', 'tag:shop'] },
      { call, links: 'orders_*' },
    ],
    ['orders_eu'],
  )
  t.strictSame(logged(), [
    "alerts: links: 'ordres_*': expected the id of a link, no link fits it (there are orders_eu): did you mean orders_*?",
  ])
})

t.test('no part of a secret is left of what a receiver says, nor of a long error', async (t) => {
  const { lines } = captureLogs(t)
  const token = new Secret('hook-s3cr3t-token')
  const { url } = await serve(t, (_, response) => {
    response.writeHead(500).end(`${'x'.repeat(190)}hook-s3cr3t-token`)
  })
  const command = ['sh', '-c', `printf '%s' hook-s3cr3t-token${'y'.repeat(490)} >&2; exit 3`]
  const rule = { ...SOON, failures: 1, retry: { retries: 0 } }
  const told: AlertMessage[] = []
  const { planner, inlets, transfer } = await start(t, [
    { ...rule, webhook: { url, headers: { authorization: token } } },
    { ...rule, command },
    { ...rule, call: (message) => told.push(message) },
  ])
  for (const inlet of inlets) inlet.message = `${'z'.repeat(960)}hook-s3cr3t-token`
  await transfer(1, true)
  await planner.shutdown()
  t.match(lines.join(''), /the answer has the status 500: x+\*\*\*/)
  t.match(lines.join(''), /sh ended with 3: \*\*\*y+/)
  t.notMatch(lines.join(''), /s3cr|token/)
  t.match(told[0]?.text, /z\*\*\*$/)
  t.notMatch(JSON.stringify(told), /s3cr/)
})

t.test('a command is told of thousands of links', async (t) => {
  const file = join(t.testdir({}), 'links')
  const ids = Array.from({ length: 2500 }, (_, at) => `a_link_of_many_with_a_name_that_is_long_enough_to_fill_it_${at}`)
  const command = ['sh', '-c', `printf '%s' "$DATABAY_ALERT_LINKS" > '${file}'; cat > /dev/null`]
  const { planner, transfer } = await start(t, { ...SOON, groupWait: 0.2, failures: 1, command }, ids)
  await transfer(1, true)
  await planner.shutdown()
  const links = readFileSync(file, 'utf8').split(' ')
  t.ok(links.length > 500, 'as many as there is room for')
  t.strictSame(links, ids.slice(0, links.length))
})

t.test('a receiver that hangs holds up neither transfers nor the shutdown', async (t) => {
  const { messages: logged } = captureLogs(t)
  const { url, until } = await receive(t, () => undefined)
  const { planner, transfer } = await start(t, { ...SOON, timeout: { milliseconds: 50 }, failures: 1, webhook: url })
  await transfer(1, true)
  await until(2)
  while (!logged().some((text) => text.includes('could not be delivered'))) await delay(5)
  t.match(logged().join('\n'), /it was not delivered within 50 ms/)
  await planner.shutdown()
  const hanging = await start(t, { ...SOON, failures: 1, call: () => new Promise(() => undefined), timeout: 600 })
  await hanging.transfer(1, true)
  await delay(5)
  const began = performance.now()
  await hanging.planner.shutdown()
  const took = performance.now() - began
  t.ok(took > 2000 && took < 10_000, `${took} ms`)
  t.match(logged().join('\n'), /could not be delivered: the planner has shut down/)
})

t.test('what fails is tried again, and what is refused is not', async (t) => {
  const { messages: logged } = captureLogs(t)
  const { url, messages, bodies, until } = await receive(t, (count) => [503, 200, 400][count] ?? 200)
  const { planner, transfer } = await start(t, { ...SOON, failures: 1, webhook: url })
  await transfer(1, true)
  await until(2)
  await transfer(1, false)
  await planner.shutdown()
  t.equal(messages.length, 1)
  t.equal(bodies.length, 3, 'the recovery was refused')
  t.match(logged().join('\n'), /the answer has the status 400: what is wrong \(orders transfers again/)
})

t.test('of more messages than may wait, the oldest are dropped, which is said', async (t) => {
  const { messages: logged } = captureLogs(t)
  const told: AlertMessage[] = []
  let go: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (go = resolve))
  const call = async (message: AlertMessage) => {
    await gate
    told.push(message)
  }
  const { planner, transfer } = await start(t, { ...SOON, failures: 1, pause: 0, maxWaiting: 2, call })
  for (let time = 0; time < 4; time++) {
    await transfer(1, time % 2 === 0)
    await delay(20)
  }
  go()
  await planner.shutdown()
  t.match(logged().join('\n'), /an alert could not be delivered: 2 others wait/)
  t.same(
    told.map(({ status, dropped }) => [status, dropped]),
    [
      ['trouble', undefined],
      ['trouble', 1],
      ['recovered', undefined],
    ],
  )
})

t.test('a planner that an error stops is told, at once', async (t) => {
  const told: AlertMessage[] = []
  const link = new Link({
    inlets: new Flaky(),
    outlets: new NullOutlet(),
    interval: 0.05,
    id: 'orders',
    immediateTransfer: false,
  })
  const planner = new SchedulePlanner(link, {
    refreshInterval: 0.01,
    alerts: { call: (message) => told.push(message) },
  })
  await planner.start()
  await t.rejects(planner.finished)
  t.match(told, [{ status: 'trouble', text: /^the planner was stopped by an error: .*the source is down/ }])
  t.equal(told.length, 1)
})

t.test('a command gets the message on standard input and in its environment; one that hangs is killed', async (t) => {
  const { messages: logged } = captureLogs(t)
  const folder = t.testdir({})
  const file = join(folder, 'notify.sh')
  writeFileSync(
    file,
    `#!/bin/sh\ncat > '${folder}/message'\necho "$1 $DATABAY_ALERT_STATUS $DATABAY_ALERT_LINKS" > '${folder}/env'\n`,
  )
  chmodSync(file, 0o755)
  const { planner, transfer } = await start(t, [
    { ...SOON, failures: 1, command: [file, '$HOME; rm'] },
    { ...SOON, failures: 1, command: ['sleep', '60'], timeout: { milliseconds: 100 }, retry: { retries: 0 } },
    { ...SOON, failures: 1, command: join(folder, 'missing') },
    { ...SOON, failures: 1, command: ['sh', '-c', 'echo so it is >&2; exit 3'], retry: { retries: 0 } },
  ])
  await transfer(1, true)
  const failures = [
    /it was not delivered within 100 ms/,
    /missing cannot be run: .*ENOENT/,
    /sh ended with 3: so it is/,
  ]
  const text = () => logged().join('\n')
  while (!failures.every((failure) => failure.test(text())) || !existsSync(join(folder, 'env'))) await delay(5)
  await planner.shutdown()
  t.match(JSON.parse(readFileSync(join(folder, 'message'), 'utf8')), { status: 'trouble' })
  t.equal(readFileSync(join(folder, 'env'), 'utf8'), '$HOME; rm trouble orders\n')
  t.notMatch(text(), /tried again: missing/)
})

t.test('the body may be a template, with secrets, or a function', async (t) => {
  const { url, bodies, headers, until } = await receive(t, () => 400)
  const once = { ...SOON, failures: 1 }
  const slack = { text: '*{title}*\n{text}', blocks: [{ key: new Secret('routing-key'), at: '{time}' }] }
  const { planner, transfer } = await start(t, [
    { ...once, webhook: { url, body: slack } },
    { ...once, webhook: { url, body: '{links}: {status} on {host}' } },
    { ...once, webhook: { url, method: 'put', body: ({ alerts }: AlertMessage) => ({ count: alerts.length }) } },
  ])
  await transfer(1, true)
  await until(3)
  await planner.shutdown()
  const [json = '', text = '', count] = [...bodies].sort((a, b) => b.length - a.length)
  t.match(JSON.parse(json), {
    text: /^\*databay: orders is in trouble\*\norders failed/,
    blocks: [{ key: 'routing-key', at: /^20/ }],
  })
  t.match(text, /^orders: trouble on /)
  t.equal(count, '{"count":1}')
  t.match(headers.map((one) => one['content-type']).sort(), ['application/json', 'application/json', /^text\/plain/])
})

t.test('bad input is refused when the planner is made, and shows no secret', async (t) => {
  const call = () => undefined
  const cases: [unknown, string | RegExp][] = [
    [{}, "alerts: expected one of webhook, command and call, got 'none'"],
    [{ call, webhook: 'https://a.test' }, "alerts: expected one of webhook, command and call, got 'several'"],
    [{ call, failure: 1 }, /^alerts\.failure: expected one of the options, got .*: did you mean failures\? They are /],
    [[{ call }, { call, failures: 0 }], /^alerts\[1\]\.failures: expected an integer of at least 1, got 0$/],
    [{ call, on: 'faling' }, /^alerts\.on: expected some of 'failing', .* got 'faling': did you mean failing\?$/],
    [{ call, links: '' }, /^alerts\.links: expected the id of links, or 'tag:' and a tag, as in 'orders_\*', got ''$/],
    [{ call, links: ['orders', 'tag: shop'] }, /^alerts\.links: expected the id of links, .* got 'tag: shop'$/],
    [
      { webhook: 'hook-secret' },
      "alerts.webhook: expected a URL that starts with https:// or http://, got 'something else (not shown)'",
    ],
    [{ webhook: { url: 'ftp://hook-secret' } }, /^alerts\.webhook\.url: expected a URL that starts with https/],
    [
      { webhook: ['https://hook-secret.test'] },
      "alerts.webhook: expected a URL, or an object that has a url, got 'an Array'",
    ],
    [{ webhook: {} }, /^alerts\.webhook\.url: .* got undefined$/],
    [
      { webhook: { url: 'https://a.test', method: 'GET' } },
      /^alerts\.webhook\.method: expected 'POST', 'PUT' or 'PATCH', got 'GET'$/,
    ],
    [{ webhook: { url: 'https://a.test', header: {} } }, /did you mean headers\? They are /],
    [
      { webhook: { url: 'https://a.test', headers: { 'x-key': 'hook\n-hook-secret' } } },
      /^alerts\.webhook\.headers\.x-key: .*not shown/,
    ],
    [
      { webhook: { url: 'https://a.test', body: { text: '{txt}' } } },
      /^alerts\.webhook\.body\.text: .* got '\{txt\}': did you mean text\?$/,
    ],
    [
      { webhook: { url: 'https://a.test', body: { text: undefined } } },
      /^alerts\.webhook\.body\.text: expected plain data/,
    ],
    [{ command: [] }, /^alerts\.command: expected a program and its arguments/],
    [{ call, timeout: -1 }, /^alerts\.timeout: /],
    [{ call: 5 }, /^alerts\.call: expected a function, got 5$/],
    ['https://a.test', /^alerts: expected an object/],
    [null, /^alerts: expected an object/],
  ]
  for (const [alerts, message] of cases) {
    const error = t.throws(() => new SchedulePlanner([], { alerts: alerts as AlertOptions }), {
      code: 'DATABAY_INVALID_OPTION',
      message,
    })
    t.notMatch(String(error), /hook-secret/)
  }
  t.same(readAlerts('alerts', undefined), [])
  t.match(readAlerts('alerts', { webhook: 'https://app:pa%20ss@a.test/x' }), [
    {
      target: {
        webhook: {
          url: 'https://a.test/x',
          headers: { authorization: `Basic ${Buffer.from('app:pa ss').toString('base64')}` },
        },
      },
    },
  ])
})

t.test('a script that hangs is killed with what it has started', { skip: process.platform === 'win32' }, async (t) => {
  const { messages: logged } = captureLogs(t)
  const file = join(t.testdir({}), 'pid')
  const command = ['sh', '-c', `trap '' TERM; sleep 60 & echo $! > '${file}'; wait`]
  const { planner, transfer } = await start(t, {
    ...SOON,
    failures: 1,
    command,
    timeout: { milliseconds: 500 },
    retry: { retries: 0 },
  })
  await transfer(1, true)
  while (!logged().some((text) => text.includes('could not be delivered'))) await delay(5)
  await planner.shutdown()
  const pid = Number(readFileSync(file, 'utf8'))
  t.ok(pid > 0)
  const isAlive = () => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  for (let waited = 0; isAlive() && waited < 2000; waited += 10) await delay(10)
  t.notOk(isAlive())
})

t.test('a secret that would be cut in two is not in the text', async (t) => {
  const secret = new Secret('hunter2')
  const detail = { what: 'failed', message: `${'x'.repeat(985)}${secret.reveal()}`, code: secret.reveal() }
  const change = { kind: 'failing' as const, link: 'a', isTrouble: true, since: 0, until: 0, times: 1, detail }
  const message = messageOf([change], () => [], 0)
  t.notMatch(JSON.stringify(message), /hunt/)
})

t.test('dead letters are told with their own error, also when something else blocks the link', async (t) => {
  captureLogs(t, 'silent')
  class Pages extends Inlet<number, number> {
    *pull(_update: Update, cursor: Cursor<number>) {
      cursor.advance(1)
      yield [1]
      throw new Error('page 2 is gone')
    }
  }
  class Picky extends Outlet<number> {
    push(): void {
      throw new InvalidPayloadError('the number is odd')
    }
  }
  const { url, messages, until } = await receive(t)
  const nodes = { inlets: new Pages(), outlets: new Picky(), delivery: 'cursor' } as const
  const link = new Link({ ...nodes, id: 'orders', interval: 3600, immediateTransfer: false })
  const planner = new SchedulePlanner(link, { store: t.testdir(), alerts: { ...SOON, webhook: { url } } })
  t.teardown(() => planner.shutdown())
  await planner.start()
  await planner.forceTransfer()
  await until(1)
  t.match(messages[0]?.alerts, [{ kind: 'deadLetters', error: 'the number is odd', node: 'Picky', stage: 'push' }])
})
