import { appendFileSync, copyFileSync, existsSync, truncateSync, readFileSync, renameSync } from 'node:fs'
import t, { type Test } from 'tap'
import { run, runShown } from './readme.js'

const COMMAND = 'npx databay run dist/examples/access-log.js --once --threads 1'

/** Lines of requests, as nginx writes them, `second` seconds after 10:00. */
function line(second: number, status: number, request = 'GET / HTTP/1.1'): string {
  const time = new Date(1_800_000_000_000 - (1_800_000_000_000 % 3_600_000) + second * 1000).toISOString()
  const [, year, month = '', day, hms] = /(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(time) ?? []
  const name = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')[Number(month) - 1]
  return `10.0.0.1 - - [${day}/${name}/${year}:${hms} +0000] "${request}" ${status} 612 "-" "curl/8" "-"\n`
}

function site(t: Test, log: string) {
  const folder = t.testdir(log === '' ? {} : { 'access.log': log })
  const file = `${folder}/access.log`
  const env = { ACCESS_LOG: file }
  const rows = () => {
    const [header = '', ...lines] = readFileSync(`${folder}/counts.csv`, 'utf8').trimEnd().split('\n')
    t.equal(header, 'minute,2xx,3xx,4xx,5xx,other')
    return lines.map((row) => row.split(','))
  }
  const sum = () => rows().reduce((all, [, ...counts]) => counts.reduce((one, count) => one + Number(count), all), 0)
  return { folder, file, rows, sum, at: { cwd: folder, env } }
}

t.test('requests are counted by minute, and each line counts', async (t) => {
  const odd = `10.0.0.1 - - [32/Foo/2026:10:15:59 +0000] "GET / HTTP/1.1" 200 1\nhalf\n`
  const hostile = line(61, 400, '\\x16\\x03\\x01 \\x22 200 ] ')
  const log = line(0, 200) + line(59, 204) + line(60, 404) + line(60, 503) + hostile + line(61, 101) + odd
  const { rows, at, file } = site(t, log)
  await runShown(t, 'An access log', at)
  const [first, second, third] = rows()
  t.same(
    [first?.slice(1), second?.slice(1), third],
    [
      ['2', '0', '0', '0', '0'],
      ['0', '0', '2', '1', '1'],
      ['unreadable', '1', '0', '0', '0', '1'],
    ],
  )
  t.match(first?.[0], /^\d{4}-\d\d-\d\dT\d\d:00Z$/)
  appendFileSync(file, line(120, 200) + line(121, 200).slice(0, 30))
  await run(t, COMMAND, at)
  t.equal(rows().length, 4, 'a restart goes on, and half a line waits')
  appendFileSync(file, line(121, 200).slice(30))
  await run(t, COMMAND, at)
  t.same(
    rows()
      .slice(3)
      .map((row) => row[1]),
    ['1', '1'],
  )
})

t.test('it may start before nginx has', async (t) => {
  const { at, folder } = site(t, '')
  t.equal((await run(t, COMMAND, at)).code, 0)
  t.notOk(existsSync(`${folder}/counts.csv`))
})

t.test('rotation under load, between and amid lines, loses and doubles none', async (t) => {
  const { file, sum, at } = site(t, line(0, 200))
  await run(t, COMMAND, at) // without a position, it would begin with the file that has the name then
  let lines = 1
  for (let rotation = 0; rotation < 2; rotation++) {
    const running = run(t, COMMAND, at)
    for (let written = 0; written < 400; written++, lines++) {
      const text = line(lines, 200)
      if (written === 100) {
        appendFileSync(file, text.slice(0, 40))
        if (existsSync(`${file}.1`)) renameSync(`${file}.1`, `${file}.2`)
        renameSync(file, `${file}.1`)
        // nginx writes on to the old file until it is told to open the new one
        appendFileSync(`${file}.1`, text.slice(40))
      } else appendFileSync(written < 200 && written > 100 ? `${file}.1` : file, text)
      if (written % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.equal((await running).code, 0)
  }
  for (let more = 0; more < 3 && sum() < lines; more++) await run(t, COMMAND, at)
  t.equal(sum(), lines)
})

t.test('copytruncate while it does not run loses nothing, also of what was not read', async (t) => {
  const { file, sum, at } = site(t, line(0, 200).repeat(5))
  await run(t, COMMAND, at)
  appendFileSync(file, line(10, 200).repeat(3))
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  appendFileSync(file, line(60, 200).repeat(2))
  for (let more = 0; more < 2 && sum() < 10; more++) await run(t, COMMAND, at)
  t.equal(sum(), 10)
})
