import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { MAIN } from '../helpers/command.js'
import { run, runShown } from './readme.js'

const MODULE = fileURLToPath(new URL('../../dist/examples/nightly.js', import.meta.url))
const COMMAND = 'npx databay run dist/examples/nightly.js --once'
const COUNTRIES = ['NL', 'DE', 'FR']

const header = 'id,email,country\n'
const rowsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => first + at)
    .map((id) => `${id},${id}@some.test.url.com,${COUNTRIES[id % 3]}\n`)
    .join('')

/** Makes a folder with a CSV file, and reads what was made of it. */
function job(t: Test, rows: string, perMinute: number) {
  const folder = t.testdir({ 'customers.csv': header + rows })
  const env = { CUSTOMERS_SALT: 'your-salt', CUSTOMERS_A_MINUTE: String(perMinute) }
  const files = () => readdirSync(`${folder}/customers`, { recursive: true, encoding: 'utf8' }).filter(isCsv).sort()
  const read = () =>
    files().flatMap((file) => {
      const [, ...lines] = readFileSync(`${folder}/customers/${file}`, 'utf8').trimEnd().split('\n')
      for (const line of lines) t.equal(line.split(',')[1], file.slice(0, 2), `${line} in ${file}`)
      return lines
    })
  const ids = () =>
    read()
      .map((line) => Number(line.split(',')[0]))
      .sort((a, b) => a - b)
  return { folder, env, files, read, ids, at: { cwd: folder, env } }
}

function isCsv(name: string): boolean {
  return name.endsWith('.csv')
}

t.test('each night goes on where the one before ended, in files of its own', async (t) => {
  const { folder, files, read, ids, at } = job(t, rowsFrom(1, 250), 200)
  await runShown(t, 'A job at night', at)
  t.same(files(), ['DE/from-1.csv', 'FR/from-1.csv', 'NL/from-1.csv'])
  await run(t, COMMAND, at)
  t.same(ids(), numbers(250))
  writeFileSync(`${folder}/customers.csv`, 'no row at all\n' + rowsFrom(251, 10), { flag: 'a' })
  const { code, stderr } = await run(t, COMMAND, at)
  t.equal(code, 0)
  t.match(stderr, /1 row not taken as they are|1 .* not taken as they are/, 'a bad row is told of')
  t.same(ids(), numbers(260))
  t.ok(files().includes('NL/from-201.csv') && files().includes('NL/from-251.csv'), files().join(' '))
  for (const line of read()) t.match(line, /^\d+,[A-Z]{2},[0-9a-f]{32}$/)
  t.match((await run(t, COMMAND, { ...at, env: { CUSTOMERS_SALT: undefined } })).stderr, /CUSTOMERS_SALT is not set/)
})

t.test('whenever it is killed, each customer is there exactly once', async (t) => {
  const { folder, env, ids } = job(t, rowsFrom(1, 1200), 150)
  const killed = []
  for (let round = 0; round < 30 && !isDone(folder); round++) {
    const child = spawn(process.execPath, [MAIN, 'run', MODULE, '--once'], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const exited = once(child, 'exit') as Promise<[number | null]>
    // the table of links comes right before the transfer, which takes some hundred milliseconds
    if (round % 2 === 0) {
      void once(child.stderr, 'data').then(() => setTimeout(() => child.kill('SIGKILL'), (40 * round) % 700))
    }
    child.stderr.resume()
    const [code] = await exited
    if (code === null) killed.push(round)
  }
  t.ok(isDone(folder), 'it came to the end')
  t.ok(killed.length >= 3, `${killed.length} were killed`)
  t.same(ids(), numbers(1200))
})

/** Whether all of the CSV file was delivered. */
function isDone(folder: string): boolean {
  try {
    const { position } = JSON.parse(readFileSync(`${folder}/customers.position`, 'utf8')) as { position: number }
    return position === statSync(`${folder}/customers.csv`).size
  } catch {
    return false
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}
