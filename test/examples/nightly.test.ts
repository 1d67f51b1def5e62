import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { MAIN } from '../helpers/command.js'
import { run, runShown } from './readme.js'

const MODULE = fileURLToPath(new URL('../../dist/examples/nightly.js', import.meta.url))
const COMMAND = 'npx databay run dist/examples/nightly.js --once --threads 1'
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
  const { folder, env, ids, at } = job(t, rowsFrom(1, 900), 60)
  for (const moment of ['started', 'files', 'position', 'files', 'position'] as const) {
    let signal: unknown
    // where the machine is busy, a run may end before the kill comes; there are rows for all tries
    for (let tries = 0; tries < 3 && signal === undefined; tries++) signal = await killedAt(moment, { folder, env })
    t.equal(signal, 'SIGKILL', `it was killed when something of this was there: ${moment}`)
    t.notOk(isDone(folder), 'there is something left to do')
  }
  // what was under way is made again, with all that is left
  t.equal((await run(t, COMMAND, { ...at, env: { ...env, CUSTOMERS_A_MINUTE: '10000' } })).code, 0)
  t.ok(isDone(folder), 'it came to the end')
  t.same(ids(), numbers(900))
})

/** Runs the job, and kills it as soon as it has begun, has written to a file, or to its position. */
async function killedAt(
  moment: 'started' | 'files' | 'position',
  { folder, env }: { folder: string; env: NodeJS.ProcessEnv },
): Promise<unknown> {
  const stamps = () => {
    if (moment === 'position') return existsSync(`${folder}/customers.position`) ? stampOf('customers.position') : ''
    if (!existsSync(`${folder}/customers`)) return ''
    const names = readdirSync(`${folder}/customers`, { recursive: true, encoding: 'utf8' }).filter(isCsv)
    return names.map((name) => stampOf(`customers/${name}`)).join()
  }
  const stampOf = (name: string) => `${name} ${statSync(`${folder}/${name}`, { bigint: true }).mtimeNs}`
  const before = stamps()
  const child = spawn(process.execPath, [MAIN, 'run', MODULE, '--once', '--threads', '1'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  // the table of links comes right before the transfer
  child.stderr.on('data', () => moment === 'started' && child.kill('SIGKILL'))
  const timer = setInterval(() => moment !== 'started' && stamps() !== before && child.kill('SIGKILL'), 1)
  const [, signal] = (await exited) as [unknown, unknown]
  clearInterval(timer)
  return signal ?? undefined
}

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
