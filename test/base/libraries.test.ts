import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { importLater, lazy } from '../../src/base/libraries.js'

const built = path.join(import.meta.dirname, '../../dist/src')

t.test('a library is loaded once, at its first use', async (t) => {
  const zlib = lazy<typeof import('node:zlib')>('node:zlib')
  t.equal(zlib(), zlib())
  t.equal(await importLater(() => Promise.resolve(5)), 5)
})

t.test('what cannot be found is said to be so', async (t) => {
  t.throws(() => lazy('no-such-package')(), { code: 'MODULE_NOT_FOUND' })
  await t.rejects(
    importLater(() => Promise.reject(new Error('does not load'))),
    { message: 'does not load' },
  )
})

/** Runs a program with few descriptors, which can take them all; gives what it printed. */
async function runShort(program: string): Promise<unknown> {
  const common = `
    import { closeSync, openSync } from 'node:fs'
    const taken = []
    const takeAll = () => { try { for (;;) taken.push(openSync('/dev/null')) } catch {} }
    const free = () => { for (const descriptor of taken.splice(0)) closeSync(descriptor) }
    const attempt = async (work) => { try { return await work() } catch (error) { return error.code } }`
  const args = ['-c', 'ulimit -n 256; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', common + program]
  const { NODE_OPTIONS: _options, ...env } = process.env
  const { stdout } = await promisify(execFile)('sh', args, { cwd: path.join(import.meta.dirname, '../..'), env })
  return JSON.parse(stdout)
}

t.test('a load that failed for want of descriptors can be tried again', async (t) => {
  const program = `
    const { importLater, lazy } = await import(${JSON.stringify(path.join(built, 'base/libraries.js'))})
    const parse = lazy('csv-parse/sync')
    const libraries = [() => typeof parse().parse, () => importLater(async () => typeof (await import('csv-stringify/sync')).stringify)]
    takeAll()
    const during = [], after = []
    for (const library of libraries) during.push(await attempt(library))
    free()
    for (const library of libraries) after.push(await attempt(library))
    console.log(JSON.stringify({ during, after }))`
  t.same(await runShort(program), { during: ['EMFILE', 'EMFILE'], after: ['function', 'function'] })
})

t.test('what is loaded can be had without descriptors', async (t) => {
  const program = `
    const { importLater, lazy } = await import(${JSON.stringify(path.join(built, 'base/libraries.js'))})
    const { CsvOutlet } = await import(${JSON.stringify(path.join(built, 'index.js'))})
    const importStringify = () => import('csv-stringify/sync')
    const outlets = ['a.csv', 'b.csv'].map((name) => new CsvOutlet('/tmp/' + name))
    lazy('csv-parse/sync')()
    await importLater(importStringify)
    await outlets[0].onStart()
    takeAll()
    for (const descriptor of taken.splice(-20)) closeSync(descriptor)
    const work = [
      () => typeof lazy('csv-parse/sync')().parse,
      async () => typeof (await importLater(importStringify)).stringify,
      async () => (await outlets[1].onStart(), 'started'),
    ]
    const done = []
    for (const one of work) done.push(await attempt(one))
    console.log(JSON.stringify(done))`
  t.same(await runShort(program), ['function', 'function', 'started'])
})

t.test('a short shortage is waited for', async (t) => {
  const program = `
    const { importLater } = await import(${JSON.stringify(path.join(built, 'base/libraries.js'))})
    takeAll()
    setTimeout(free, 50)
    console.log(JSON.stringify(await attempt(() => importLater(async () => 'loaded'))))`
  t.equal(await runShort(program), 'loaded')
})

t.test('a logger whose library cannot be loaded logs all the same, and has it later', async (t) => {
  const program = `
    const { getLogger, setLogDestination } = await import(${JSON.stringify(path.join(built, 'base/log.js'))})
    const lines = []
    setLogDestination({ write: (line) => lines.push(JSON.parse(line)) })
    takeAll()
    getLogger('databay.test').error({ err: new Error('its own') }, '%s failed', 'it')
    getLogger('databay.test').info('not at this level')
    free()
    getLogger('databay.test').error('later')
    console.log(JSON.stringify(lines))`
  t.match(await runShort(program), [
    { level: 50, name: 'databay.test', msg: 'it failed', err: { message: 'its own' }, logger: /^EMFILE: / },
    { level: 50, name: 'databay.test', msg: 'later', logger: undefined },
  ])
})
