/** Runs the programs of the pages for those who come from databay for Python, from node-cron, and from bree. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { testPage, type Page } from './helpers/pages.js'
import * as api from '../src/index.js'

const root = resolve(import.meta.dirname, '..')

/** Folder with the programs of a page, of whose links some transfers are made. */
function folderOf(t: Test, page: Page, files = {}) {
  const folder = page.folder(t, {}, files)
  const run = async (links: string, ...args: string[]) => {
    const line = ['databay', 'run', links, ...args, '--threads', '1', '--quiet'].join(' ')
    const { code, stdout, stderr } = await page.run(folder, line)
    t.equal(code, 0, stderr)
    return stdout
  }
  return { folder, run, read: (name: string) => readFileSync(join(folder, name), 'utf8') }
}

/** Runs a program until it has written something that ends it: it is then ended with SIGTERM. */
async function untilWritten(folder: string, program: string, text: () => string, wanted: RegExp): Promise<unknown> {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  const child = spawn(process.execPath, [program], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8')
  const closed = once(child, 'close')
  const timer = setInterval(() => wanted.test(text()) && child.kill('SIGTERM'), 20)
  child.stdout.on('data', (said: string) => wanted.test(said) && child.kill('SIGTERM'))
  const [, signal] = (await closed) as unknown[]
  clearInterval(timer)
  return signal
}

testPage(t, 'docs/from-python.md', async (t, page) => {
  const { folder, run, read } = folderOf(t, page)

  await t.test('the same program: by the command, and by a planner', async (t) => {
    await run('rolls.js', '--transfers', '1')
    t.match(read('rolls.csv'), /^value\n[1-6]\n$/)
    page.hasRun('main.js')
    const signal = await untilWritten(folder, 'main.js', () => read('rolls.csv'), /^value\n[1-6]\n[1-6]\n$/)
    t.equal(signal, 'SIGTERM', 'it ended in order')
  })

  await t.test('an inlet, an outlet, a processor: what is warm comes in twos', async (t) => {
    const warm = /^weather\.\d \{ city: 'Rome', temperature: 28 \}\n$/
    t.match(await run('weather.js', '--transfers', '1'), warm, 'the shutdown empties the buffer')
  })

  await t.test('logging', async (t) => {
    const { stdout } = await page.run(folder, 'node logging.js')
    t.match(JSON.parse(stdout), { name: 'databay.mine', msg: 'of my own' })
  })

  await t.test('tests', async (t) => {
    const { code, stdout } = await page.run(folder, 'node --test --test-reporter=tap weather.test.js')
    t.equal(code, 0, stdout)
  })
})

t.test('names of databay that the pages give are there', async (t) => {
  for (const page of ['from-python.md', 'from-node-cron-and-bree.md']) {
    const text = readFileSync(join(root, 'docs', page), 'utf8')
    const options = [...text.matchAll(/`new (\w+)\(/g)].map(([, name = '']) => name)
    for (const name of options) t.ok(name in api || name === 'Bree', `${page}: ${name}`)
    const calls = [...text.matchAll(/`(?:await )?(planner|link)\.(\w+)\(/g)]
    const link = new api.Link({ inlets: new api.NullInlet(), outlets: new api.NullOutlet(), interval: 1 })
    const planner = new api.WorkerPlanner()
    const python = /^[a-z]+_[a-z_]+$/
    for (const [, owner, name = ''] of calls.filter(([, , name = '']) => !python.test(name))) {
      t.ok(name in (owner === 'link' ? link : planner), `${page}: ${owner}.${name}`)
    }
  }
})

t.test('the options in the table of names are options', async (t) => {
  const text = readFileSync(join(root, 'docs/from-python.md'), 'utf8')
  const made: { [name: string]: (options: object) => unknown } = {
    CsvInlet: (options) => new api.CsvInlet('x.csv', options),
    CsvOutlet: (options) => new api.CsvOutlet('x.csv', options),
    FileInlet: (options) => new api.FileInlet('x', options),
    FileOutlet: (options) => new api.FileOutlet('x', options),
    HttpInlet: (options) => new api.HttpInlet('http://localhost/', options),
    MongoOutlet: (options) => new api.MongoOutlet(options),
    PrintOutlet: (options) => new api.PrintOutlet(options),
  }
  const rows = [...text.matchAll(/`new (\w+(?:Inlet|Outlet))\((?:\w+, )?\{ ([^}]+) \}\)`/g)]
  t.ok(rows.length >= 5, 'they are found')
  for (const [, name = '', list = ''] of rows) {
    const options = Object.fromEntries(list.split(', ').map((option) => [option.split(':')[0] ?? '', undefined]))
    t.doesNotThrow(() => made[name]?.(options), `${name}: ${list}`)
  }
})

testPage(t, 'docs/from-node-cron-and-bree.md', async (t, page) => {
  const prices = 'item,price\npen,4\n'
  const { folder, run, read } = folderOf(t, page, { 'prices.csv': prices })

  await t.test('a job that moves data moves what is new', async (t) => {
    await run('prices.js', '--once')
    t.equal(read('scored.jsonl'), '{"item":"pen","price":4,"score":2}\n')
    writeFileSync(join(folder, 'prices.csv'), `${prices}cup,9\n`)
    await run('prices.js', '--once')
    t.equal(read('scored.jsonl'), '{"item":"pen","price":4,"score":2}\n{"item":"cup","price":9,"score":3}\n')
  })

  await t.test('a job that only does something', async (t) => {
    t.match(await run('jobs.js', '--once', '--link', 'cleanup'), "payload: 'nothing to clean up'")
    t.equal(await run('jobs.js', '--once', '--link', 'ping'), '')
  })

  await t.test('a job of bree', async (t) => {
    page.hasRun('main.js')
    t.equal(await untilWritten(folder, 'main.js', () => '', /report: done/), 'SIGTERM')
  })
})
