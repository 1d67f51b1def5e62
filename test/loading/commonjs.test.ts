/** Loads link modules of CommonJS in real threads. */
import { join } from 'node:path'
import t from 'tap'
import { project, run } from '../helpers/link-modules.js'
import { databay, node } from '../helpers/programs.js'

t.test('link modules of CommonJS are loaded, and named by their keys', async (t) => {
  const link = 'new Link({ inlets: new RandomIntInlet(1, 1), outlets: new PrintOutlet(), interval: 1 })'
  const head = "const { Link, PrintOutlet, RandomIntInlet } = require('databay')\nconst make = () => " + link
  const folder = project(t, [], {
    'package.json': '{}',
    'keys.cjs': `${head}\nmodule.exports = { one: make(), list: [make()] }\n`,
    'whole.js': `${head}\nmodule.exports = make()\n`,
    'compiled.cjs': `${head}\nexports.__esModule = true\nexports.named = make()\nexports.default = make()\n`,
    'object.mjs': `import { Link, PrintOutlet, RandomIntInlet } from 'databay'\nexport default { inside: ${link} }\n`,
  })
  const ids = async (name: string) => {
    const { stdout, stderr } = await node(folder, [databay, 'list', name, '--json'])
    t.equal(stderr, '')
    return Array.from(stdout.matchAll(/"id": "(.*?)"/g), ([, id]) => id).sort()
  }
  t.same(await ids('keys.cjs'), ['list[0]', 'one'])
  t.same(await ids('whole.js'), ['whole'])
  t.same(await ids('compiled.cjs'), ['compiled', 'named'])
  t.same(await ids('object.mjs'), ['inside'])
  t.equal((await run(folder, 'keys.cjs', 'whole.js')).code, 0)
})

t.test('import in a file of CommonJS says how to name it, or what to set', async (t) => {
  const folder = project(t, [], {
    'package.json': '{"type":"commonjs"}',
    'links.js': "import { Link } from 'databay'\nexport const link = new Link({})\n",
    'exports.js': 'export const link = 1\n',
  })
  const set = `set "type": "module" in ${join(folder, 'package.json')}`
  t.match((await run(folder, 'links.js')).stderr, `links.js is CommonJS here: name it links.mjs, or ${set}`)
  t.match((await run(folder, 'exports.js')).stderr, `exports.js is CommonJS here: name it exports.mjs, or ${set}`)
})
