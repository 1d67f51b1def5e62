import { once, EventEmitter } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { ModuleWatcher } from '../../../src/cli/run/module-watcher.js'

/** Reload of a module, which the test ends. */
interface Loading {
  resolve(): void
  reject(error: Error): void
}

/** Makes a watcher of real files in a real folder. The test reloads modules by hand. */
async function setUp(t: Test, modules: readonly string[], paths: readonly string[] = []) {
  const folder = t.testdir({
    'a.mjs': '',
    lib: { 'deep.js': '' },
    node_modules: { other: { 'index.js': '' } },
    '.hidden': { 'x.js': '' },
    apart: { 'b.mjs': '', 'data.json': '{}' },
  })
  const events = new EventEmitter<{ reload: [string, Loading]; told: [string] }>()
  const told: string[] = []
  const tell = (text: string) => {
    told.push(text)
    events.emit('told', text)
  }
  const nameOf = (module: string) => path.basename(module)
  const watcher = new ModuleWatcher(
    modules.map((file) => pathToFileURL(path.join(folder, file)).href),
    paths.map((file) => path.join(folder, file)),
    {
      reload: (module) =>
        new Promise((resolve, reject) => {
          events.emit('reload', nameOf(module), { resolve, reject })
        }),
      reloaded: (module) => tell(`reloaded ${nameOf(module)}`),
      failed: (module, error) => tell(`failed ${nameOf(module)}: ${error.message}`),
      broken: (error) => tell(`broken: ${error.message}`),
    },
    100,
  )
  t.teardown(() => watcher.close())
  await watcher.open()
  return {
    ...{ watcher, told },
    /** Waits for the next reload. */
    next: () => once(events, 'reload') as Promise<[string, Loading]>,
    nextTold: () => once(events, 'told') as Promise<[string]>,
    write: (file: string) => {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
      writeFileSync(path.join(folder, file), `// ${Math.random()}`)
    },
    remove: (file: string) => rmSync(path.join(folder, file)),
  }
}

t.test('a module is loaded anew when it, or code below its folder, changes', async (t) => {
  const { next, nextTold, write, remove } = await setUp(t, ['a.mjs'])
  for (const change of [
    () => write('a.mjs'),
    () => write('lib/deep.js'),
    () => write('lib/new/one.ts'),
    () => remove('lib/deep.js'),
  ]) {
    const loading = next()
    change()
    const [module, work] = await loading
    t.equal(module, 'a.mjs')
    const told = nextTold()
    work.resolve()
    t.strictSame(await told, ['reloaded a.mjs'])
  }
})

t.test('data, packages and hidden folders do not count, unless they are named', async (t) => {
  const { next, write, told, nextTold } = await setUp(t, ['a.mjs', 'apart/b.mjs'], ['apart/data.json'])
  write('lib/out.json')
  write('node_modules/other/index.js')
  write('.hidden/x.js')
  const loading = next()
  write('apart/data.json')
  const [first, work] = await loading
  t.equal(first, 'a.mjs', 'what is named concerns all modules')
  const second = next()
  work.resolve()
  const [other, otherWork] = await second
  t.equal(other, 'b.mjs')
  const end = nextTold()
  otherWork.resolve()
  await end
  t.strictSame(told, ['reloaded a.mjs', 'reloaded b.mjs'], 'and nothing else was loaded')
})

t.test('many changes at once are one, and what changes meanwhile is loaded thereafter', async (t) => {
  const { next, nextTold, write } = await setUp(t, ['a.mjs'])
  const loading = next()
  for (let index = 0; index < 20; index++) write(`lib/${index}.js`)
  const [, first] = await loading
  let again = false
  const second = next().then((loaded) => {
    again = true
    return loaded
  })
  write('a.mjs')
  await setTimeout(400) // far longer than it waits for quiet
  t.notOk(again, 'never two at a time')
  first.resolve()
  const [, work] = await second
  const told = nextTold()
  work.resolve()
  await told
})

t.test('a version that cannot be loaded is told, and the next one is tried', async (t) => {
  const { next, nextTold, write } = await setUp(t, ['a.mjs'])
  let loading = next()
  write('a.mjs')
  let told = nextTold()
  ;(await loading)[1].reject(new Error('does not parse'))
  t.strictSame(await told, ['failed a.mjs: does not parse'])
  loading = next()
  write('a.mjs')
  const [, work] = await loading
  told = nextTold()
  work.resolve()
  t.strictSame(await told, ['reloaded a.mjs'])
})

t.test('once closed, it loads nothing', async (t) => {
  const { watcher, next, write } = await setUp(t, ['a.mjs'])
  let loaded = false
  void next().then(() => (loaded = true))
  write('a.mjs')
  await watcher.close()
  write('a.mjs')
  await setTimeout(400)
  t.notOk(loaded)
})
