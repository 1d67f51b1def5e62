import { pathToFileURL } from 'node:url'
import path from 'node:path'
import t from 'tap'
import { loadLinks, loadModule } from '../../../src/threads/worker/link-module.js'
import { moduleUrl } from '../../../src/threads/protocol/module-url.js'
import { nameOf } from '../../../src/threads/protocol/link-description.js'
import { fixture } from '../../helpers/threads.js'

t.test('a module is named by a URL or by a path', async (t) => {
  const absolute = path.resolve('somewhere/links.js')
  const href = pathToFileURL(absolute).href
  t.equal(moduleUrl('links', absolute), href)
  t.equal(moduleUrl('links', 'somewhere/links.js'), href, 'a relative path is relative to the working folder')
  t.equal(moduleUrl('links', './somewhere/../somewhere/links.js'), href)
  t.equal(moduleUrl('links', href), href)
  t.equal(moduleUrl('links', new URL(href)), href)
  t.equal(moduleUrl('links', 'with space#1.js'), pathToFileURL(path.resolve('with space#1.js')).href)
})

t.test('what cannot be loaded in a thread is refused, with the option named', async (t) => {
  const others = [
    '',
    'http://localhost/links.js',
    new URL('https://some.test.url.com/links.js'),
    'node:fs',
    'http://[',
    5,
  ]
  for (const other of others as string[]) {
    t.throws(() => moduleUrl('links[3]', other), {
      code: 'DATABAY_INVALID_OPTION',
      option: 'links[3]',
      message: /^links\[3\]: expected a path or a file: URL of a link module, got /,
    })
  }
})

t.test('a module that cannot be loaded is an error that names it and says why', async (t) => {
  const folder = t.testdir({ 'unparsable.mjs': 'export const link = new Link({', 'dice.ts': '' })
  const unparsable = path.join(folder, 'unparsable.mjs')
  const dice = pathToFileURL(path.join(folder, 'dice.js'))
  const broken: [URL, RegExp][] = [
    [dice, /: there is no such file: there is dice\.ts, but no dice\.js: name \.\/dice\.ts in the URL$/],
    [fixture('modules/there-is-no-such-file.mjs'), /: there is no such file$/],
    [fixture('modules/throws.mjs'), /: failed to load: not today \(file:.*throws\.mjs:\d+:\d+\)$/],
    [fixture('modules/throws-text.mjs'), /: threw 'just text' while it was loaded$/],
    [pathToFileURL(unparsable), /: does not parse: /],
    [fixture('modules/imports-missing.mjs'), /: failed to load: Cannot find module .*there-is-no-such-file\.mjs/],
  ]
  for (const [{ href }, why] of broken) {
    await t.rejects(loadModule(href), { code: 'DATABAY_LINK_MODULE', module: href, message: why })
    await t.rejects(loadLinks(href), { message: new RegExp(`^${href}: `) })
  }
  await t.rejects(
    loadModule(fixture('modules/throws.mjs').href),
    { cause: { name: 'RangeError' } },
    'the cause is kept',
  )
})

t.test('TypeScript that neither Node nor a loader takes says how to load it', async (t) => {
  await t.rejects(loadModule(fixture('modules/unknown-kind.mjs').href), {
    message:
      /cannot be loaded as it is: Node \S+ loads no TypeScript by itself: npm install --save-dev tsx \(or jiti\), or run Node 22\.18 or newer, or compile it to JavaScript/,
    cause: { code: 'ERR_UNKNOWN_FILE_EXTENSION' },
  })
})

t.test('links are found among the exports, by themselves and in lists', async (t) => {
  const links = await loadLinks(fixture('modules/named.ts').href)
  t.same(links.map(nameOf).sort(), ['default', 'many[0]', 'many[2]', 'one'])
  t.equal(new Set(links.map(({ link }) => link)).size, 4)
})

t.test('a module without links is an error that says how to export one', async (t) => {
  const { href } = fixture('modules/no-link.mjs')
  await t.rejects(loadLinks(href), { code: 'DATABAY_LINK_MODULE', message: /: exports no link: expected one as in / })
})

t.test('a module that exports a link twice is an error that names both exports', async (t) => {
  await t.rejects(loadLinks(fixture('modules/twice.ts').href), {
    message: /: exports the same link twice, as all\[1\] and as first: export it once$/,
  })
})
