import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t from 'tap'
import type { Settings } from '../bench/bench.js'
import { BENCHES } from '../bench/benches.js'
import { check, compare, rate, type Subject } from '../bench/measure.js'
import { openRedis } from '../bench/peers/redis.js'
import { type Drawn, plot } from '../bench/plot.js'
import { median, percentile, spread } from '../bench/statistics.js'
import { judge, TARGETS } from '../bench/targets.js'

const main = join(resolve(import.meta.dirname, '..'), 'dist/bench/main.js')
const run = promisify(execFile)
const settings: Settings = {
  threads: [1],
  seconds: 0.01,
  samples: 4,
  smoke: false,
  only: '',
  python: 'python3',
  size: 1,
}

interface Printed {
  readonly machine: { readonly cores: number; readonly node: string; readonly commit: string }
  readonly benches: readonly Drawn[]
}

/** Makes a subject with the given values as its samples, which records its turns. */
function subjectOf(name: string, values: readonly number[], turns: string[], peers: readonly string[] = []): Subject {
  const left = [...values]
  return {
    name,
    units: { rate: 'a second' },
    peers,
    open: () => ({
      sample() {
        turns.push(name)
        return Promise.resolve({ rate: left.shift() ?? Number.NaN })
      },
      close: () => void turns.push(`end of ${name}`),
    }),
  }
}

// some benches mostly wait
t.jobs = 3

for (const name of Object.keys(BENCHES)) {
  t.test(`${name} runs`, { buffered: true }, async (t) => {
    const chart = join(t.testdir(), 'chart.svg')
    const args = ['--only', name, '--smoke', '--samples', '1', '--seconds', '0.02', '--threads', '2', '--json']
    // one draws its chart itself: the library for it takes long to load
    const drawing = name === 'dispatch' ? ['--plot', chart] : []
    const { stdout } = await run(process.execPath, [main, ...args, ...drawing])
    const { benches, machine } = JSON.parse(stdout) as Printed
    t.same(
      benches.map((bench) => bench.name),
      [name],
    )
    const [bench] = benches
    t.ok(bench && bench.measurements.length > 0, 'something is measured')
    t.ok(
      bench?.measurements.some(({ ratios }) => ratios.length > 0),
      'beside a peer',
    )
    for (const { samples, median } of bench?.measurements ?? []) {
      if (samples.length === 0 || !Number.isFinite(median)) t.fail('a figure without a number')
    }
    t.equal(machine.node, process.version)
    t.ok(machine.commit)
    t.ok(machine.cores > 0)
    if (drawing.length === 0) plot(chart, benches)
    t.match(readFileSync(chart, 'utf8'), /^<svg[^]*<\/svg>$/)
  })
}

t.test('what is compared takes turns, after a sample to warm up', async (t) => {
  const turns: string[] = []
  const subjects = [
    subjectOf('ours', [9, 40, 50, 60, 70], turns, ['theirs']),
    subjectOf('theirs', [9, 20, 10, 20, 10], turns),
  ]
  const [ours, theirs] = await compare('a case', subjects, settings)
  t.same(turns.slice(0, 6), ['ours', 'theirs', 'ours', 'theirs', 'theirs', 'ours'])
  t.same(turns.slice(-2), ['end of ours', 'end of theirs'])
  t.same(ours?.samples, [40, 50, 60, 70])
  t.equal(ours?.median, 55)
  t.equal(ours?.spread, 10)
  t.same(ours?.ratios, [{ peer: 'theirs', ratio: 4 }], 'the median of 2, 5, 3 and 7')
  t.same(theirs?.ratios, [])
})

t.test('a bench that did not do its work fails, and ends what it has opened', async (t) => {
  const turns: string[] = []
  const broken = subjectOf('broken', [1, Number.NaN], turns)
  await t.rejects(compare('a case', [subjectOf('ours', [1, 2, 3, 4, 5], turns), broken], settings), {
    message: 'broken did not measure its rate',
  })
  t.same(turns.slice(-2), ['end of ours', 'end of broken'])
  t.throws(() => check('transfers', 9, 10), { message: 'transfers: expected 10, got 9' })
  await t.rejects(compare('a case', [subjectOf('ours', [1, 2], turns, ['nobody'])], { ...settings, samples: 1 }), {
    message: "a case: there is no peer 'nobody' of ours",
  })
})

t.test('a rate counts what was done by the time that it took', async (t) => {
  let calls = 0
  const done = await rate(0.02, () => {
    calls++
    return 7
  })
  t.ok(done > 0 && done <= (7 * calls) / 0.02, `${done} a second after ${calls} calls`)
  t.ok((await rate(1e-9, () => 1)) > 0, 'once at least')
})

t.test('figures are summed up by their middle', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.equal(spread([1, 2, 3, 4, 100]), 1)
  t.equal(percentile([1, 2, 3, 4], 0.5), 3)
  t.equal(percentile([1, 2, 3, 4], 0.99), 4)
})

t.test('targets are judged by ratios or by figures, and left out when there is none', async (t) => {
  const measurement = (id: string, value: number) => {
    const target = TARGETS.find((one) => one.id === id)
    if (target === undefined) throw new Error(`no target ${id}`)
    const { peer, ...of } = target.of
    const ratios = peer === undefined ? [] : [{ peer, ratio: value }]
    return { ...of, unit: target.unit, samples: [value], median: peer === undefined ? value : -1, spread: 0, ratios }
  }
  const met = (bench: string, id: string, value: number) =>
    judge(bench, [measurement(id, value)], 0.5).map(({ met }) => met)
  t.same(met('dispatch', 'P1', 14.9), ['missed'])
  t.same(met('dispatch', 'P1', 15), ['floor'])
  t.same(met('dispatch', 'P1', 41), ['aim'])
  t.same(met('dispatch', 'stats', 0.061), ['missed'], 'stats() is to cost less than 6 %')
  t.same(met('dispatch', 'stats', 0.059), ['aim'])
  t.same(met('io', 'P7', 131), ['missed'], 'less is better')
  t.same(met('io', 'P7', 110), ['floor'])
  t.same(met('io', 'P7', 104), ['aim'])
  t.same(judge('io', [], 0), [])
})

t.test('on a machine with other work, ratios of rates are judged by CPU, where the threads are as many', (t) => {
  const judged = (id: string, load: number) => {
    const target = TARGETS.find((one) => one.id === id && one.of.peer !== undefined)
    if (target === undefined) throw new Error(`no target ${id}`)
    const { bench, of } = target
    const peer = of.peer ?? ''
    const figure = (name: string, ratio: number) => {
      const rest = { unit: '', samples: [1], median: 1, spread: 0, ratios: [{ peer, ratio }] }
      return { case: of.case, subject: of.subject, figure: name, ...rest }
    }
    return judge(bench, [figure('rate', 0.5), figure('cpu', 1.25)], load).filter((one) => one.what === target.what)
  }
  t.match(judged('P2', 1), [{ value: 0.5, byCpu: false, met: 'missed' }])
  t.match(judged('P2', 1.1), [{ value: 0.8, byCpu: true, met: 'floor' }], 'the peer takes 0.8 of its CPU')
  t.match(judged('P4', 9), [{ value: 0.5, byCpu: false }], 'two threads beside one')
  t.match(judged('S1', 9), [{ value: 1.25, byCpu: false, met: 'floor' }], 'it is one of CPU')
  t.end()
})

t.test('arguments are checked', async (t) => {
  const file = join(t.testdir({ charts: '' }), 'charts')
  const wrong: readonly (readonly [args: string[], stderr: RegExp])[] = [
    [['--only', 'speed'], /there is no bench 'speed'/],
    [['--threads', 'many'], /it must be a whole number above 0/],
    [['--seconds', '0'], /it must be a number above 0/],
    [['--size', '1TB'], /it must be like 200MB or 1GB/],
    [['--plot', 'chart.png'], /charts are \.svg/],
    [['--plot', file], /an \.svg file or a folder/],
    [['--plot', 'chart.svg'], /'--plot <path>' must be a folder for the charts of \d+ benches, got 'chart\.svg'/],
  ]
  await Promise.all(
    wrong.map(([args, stderr]) =>
      t.rejects(run(process.execPath, [main, ...args]), { code: 1, stderr }, args.join(' ')),
    ),
  )
  const { stderr } = await run(process.execPath, [main, '--only', 'boundary', '--case', 'speed', '--smoke'])
  t.match(stderr, "boundary: it has no case whose name contains 'speed'")
})

t.test('a Redis that is given must be there', async (t) => {
  const given = process.env['REDIS_URL']
  t.teardown(() => {
    if (given === undefined) delete process.env['REDIS_URL']
    else process.env['REDIS_URL'] = given
  })
  process.env['REDIS_URL'] = 'redis://127.0.0.1:1'
  await t.rejects(openRedis(), { message: 'REDIS_URL: there is no Redis at 127.0.0.1:1' })
  process.env['REDIS_URL'] = 'localhost:6379'
  await t.rejects(openRedis(), { message: 'REDIS_URL must be like redis://127.0.0.1:6379' })
})

t.test('a Redis of our own, where there is one, answers until it is closed', async (t) => {
  const given = process.env['REDIS_URL']
  delete process.env['REDIS_URL']
  t.teardown(() => {
    if (given !== undefined) process.env['REDIS_URL'] = given
  })
  const redis = await openRedis()
  if (redis === undefined) {
    t.comment('there is no redis-server')
    return
  }
  const { url } = redis
  const ping = async () => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
    socket.end('PING\r\n')
    return text(socket)
  }
  t.equal(await ping(), '+PONG\r\n')
  await redis.close()
  await t.rejects(ping(), { code: 'ECONNREFUSED' })
})
