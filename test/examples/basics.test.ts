import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { serve } from '../helpers/servers.js'
import { run, runShown } from './readme.js'

// they mostly wait, so they run at the same time
t.jobs = 6
const together = { buffered: true }

t.test('the basic inlet gives a random integer for each transfer', together, async (t) => {
  const [{ stdout } = { stdout: '' }] = await runShown(t, 'Basic inlet')
  const numbers = [...stdout.matchAll(/^random_ints\.(\d) (\d+)$/gm)]
  t.same(
    numbers.map(([, transfer]) => transfer),
    ['0', '1'],
  )
  for (const [, , number] of numbers) t.ok(Number(number) <= 100)
})

t.test('the basic outlet prints the payload of each record', together, async (t) => {
  const [{ stdout } = { stdout: '' }] = await runShown(t, 'Basic outlet')
  t.match(stdout, /^print_outlet\.0 \d+\nprint_outlet\.1 \d+\nprint_outlet\.2 \d+\n$/)
})

t.test('the intermediate inlet asks for the weather in its city', together, async (t) => {
  const asked: (string | undefined)[] = []
  const { url } = await serve(t, (request, response) => {
    asked.push(request.url)
    response.setHeader('content-type', 'application/json')
    response.end('{"weather":[{"id":500,"main":"Rain","description":"light rain"}],"name":"Bangkok"}')
  })
  const env = { OPEN_WEATHER_MAP_URL: url }
  const [{ stdout } = { stdout: '' }] = await runShown(t, 'Intermediate inlet', { env })
  t.equal(stdout, [0, 1, 2].map((transfer) => `bangkok_weather.${transfer} light rain\n`).join(''))
  t.same(asked, Array(3).fill('/data/2.5/weather?q=Bangkok&appid=your-key'))
})

t.test('the intermediate inlet fails without its key in what is logged', together, async (t) => {
  const command = 'npx databay run dist/examples/intermediate-inlet.js --once --log-level trace'
  const { url } = await serve(t, (_request, response) => response.writeHead(401).end())
  const env = { OPEN_WEATHER_MAP_URL: url, OPEN_WEATHER_MAP_API_KEY: 'the-secret' }
  const { code, stdout, stderr } = await run(t, command, { env })
  t.equal(code, 1)
  t.match(stderr, /OpenWeatherMap answered 401 for Bangkok/)
  t.notMatch(stdout + stderr, /the-secret/)

  const without = await run(t, command)
  t.equal(without.code, 1)
  t.match(without.stderr, /OPEN_WEATHER_MAP_API_KEY is not set/)
})

t.test('the intermediate outlet appends to the file that metadata names', together, async (t) => {
  const cwd = t.testdir()
  await runShown(t, 'Intermediate outlet', { cwd })
  const file = path.join(cwd, 'examples/output/random_ints.txt')
  t.match(readFileSync(file, 'utf8'), /^(\d+\n){3}$/)
})

t.test('of records with and without the permission, those with it are printed', together, async (t) => {
  const [{ stdout, stderr } = { stdout: '', stderr: '' }] = await runShown(t, 'Basic metadata')
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.length, 3)
  for (const line of lines) t.match(line, /payload: \d+, .*'ConditionalPrintOutlet\.SHOULD_PRINT': true/)
  t.match(stderr, /6 records pulled/)
})

t.test('six waits of half a second take a transfer about one second, in a thread', together, async (t) => {
  const [{ stderr } = { stderr: '' }] = await runShown(t, 'Basic asynchronous')
  for (const transfer of ['async.0', 'async.1']) {
    const lines = stderr.split('\n').filter((line) => line.includes(` ${transfer} `))
    const timeOf = (text: string) => {
      const line = lines.find((line) => line.includes(`${transfer} ${text}`)) ?? ''
      return Date.parse(`${line.slice(0, line.indexOf('|')).replace(' ', 'T')}Z`)
    }
    const took = timeOf('done') - timeOf('transfer')
    t.ok(took >= 990 && took < 2500, `${transfer} took ${took} ms`)
    t.equal(lines.filter((line) => line.includes('produced:')).length, 3)
    t.equal(lines.filter((line) => line.includes('consumed:')).length, 3)
    const order = lines.map((line) => /async\.\d (transfer|produced|push starts|consumed|done)/.exec(line)?.[1])
    t.same(order, [
      ...['transfer', 'produced', 'produced', 'produced'],
      ...['push starts', 'consumed', 'consumed', 'consumed', 'done'],
    ])
  }
})
