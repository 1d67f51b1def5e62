/** Loads link modules of every kind in real threads: TypeScript by tsx and jiti, CommonJS, and those that do not parse. */
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { databay, node } from './helpers/programs.js'
import { userProject } from './helpers/user-project.js'

const root = resolve(import.meta.dirname, '..')
const nodeStrips = Boolean((process.features as { readonly typescript?: unknown }).typescript)

const project = (t: Test, packages: readonly string[], files: { readonly [name: string]: string }) =>
  userProject(t, packages, Object.entries(files))

const run = (folder: string, ...modules: readonly string[]) =>
  node(folder, [databay, 'run', ...modules, '--threads', '2', '--once'])

const LINK =
  'new Link({ inlets: new RandomIntInlet(1, 1), processors: shown, outlets: new PrintOutlet(), interval: 1 })'
const TYPED = {
  'links.ts': `import { Link, PrintOutlet, RandomIntInlet, type Record } from 'databay'
import { twice } from './twice.js'
const shown = (records: Record<number>[]) => records.map((one) => one.with({ payload: twice(one.payload) }))
export const link: Link = ${LINK}
`,
  'twice.ts': 'export const twice = (value: number): string => `it is ${value * 2}`\n',
  'mixed.mjs': `import { Link, PrintOutlet, RandomIntInlet } from 'databay'
import { twice } from './twice.ts'
const shown = (records) => records.map((one) => one.with({ payload: twice(one.payload) }))
export const link = ${LINK}
`,
}

for (const loader of ['tsx', 'jiti']) {
  t.test(`a thread loads TypeScript by the ${loader} of the user`, { skip: nodeStrips && 'Node does' }, async (t) => {
    const folder = project(t, [loader], TYPED)
    for (const name of ['links.ts', 'mixed.mjs']) {
      const { code, stdout, stderr } = await run(folder, name)
      t.match(stdout, 'it is 2', stderr)
      t.equal(code, 0)
    }
    for (const command of ['check', 'list']) {
      t.match((await node(folder, [databay, command, 'links.ts'])).stdout, 'RandomIntInlet > ')
    }
  })

  for (const type of ['{}', '{"type":"commonjs"}']) {
    const name = `${loader} loads what a module imports where package.json is ${type}`
    t.test(name, { skip: nodeStrips && 'Node does' }, async (t) => {
      const folder = project(t, [loader], { ...TYPED, 'package.json': type })
      for (const name of ['links.ts', 'mixed.mjs']) {
        const { code, stdout, stderr } = await run(folder, name)
        t.match(stdout, 'it is 2', stderr)
        t.equal(code, 0)
      }
    })
  }

  for (const type of ['module', 'commonjs']) {
    const name = `${loader} shares this package with the thread where package.json says ${type}`
    t.test(name, { skip: nodeStrips && 'Node does' }, async (t) => {
      const code = `import { Link, PrintOutlet, RandomIntInlet, Record } from 'databay'
const own = import('${pathToFileURL(join(root, 'dist/src/index.js')).href}')
const shown = async (records: Record<number>[]) => {
  const shared = (await own).Record === Record
  return records.map((one) => one.with({ payload: \`shared: \${shared}\` }))
}
export const link: Link = ${LINK}
`
      const files = { 'links.ts': code, 'package.json': `{"type":"${type}"}` }
      const { stdout, stderr } = await run(project(t, [loader], files), 'links.ts')
      t.match(stdout, 'shared: true', stderr)
    })
  }

  for (const type of ['module', 'commonjs']) {
    t.test(
      `a reload by ${loader} sees a helper of the type ${type} that has changed`,
      { skip: nodeStrips && 'Node does' },
      async (t) => {
        const folder = project(t, [loader], {
          ...TYPED,
          'package.json': `{"type":"${type}"}`,
          'main.mjs': `import { writeFileSync } from 'node:fs'
import { WorkerPlanner } from 'databay'
const planner = new WorkerPlanner('links.ts', { threads: 1 })
await planner.start()
const [link] = planner.links
await planner.forceTransfer(link)
writeFileSync('twice.ts', 'export const twice = (value: number): string => \`now \${value}\`')
await planner.reload('links.ts')
await planner.forceTransfer(planner.links[0])
await planner.shutdown()
`,
        })
        const { stdout, stderr } = await node(folder, ['main.mjs'])
        t.match(stdout, /it is 2[^]*now 1/, stderr)
      },
    )
  }
}

t.test('node --import tsx main.ts runs links of TypeScript', async (t) => {
  const main = `import { WorkerPlanner } from 'databay'
const planner: WorkerPlanner = new WorkerPlanner(new URL('./links.ts', import.meta.url), { threads: 1 })
await planner.start()
await planner.forceTransfer(planner.links[0]!)
await planner.shutdown()
`
  const folder = project(t, ['tsx'], { ...TYPED, 'main.ts': main })
  const { code, stdout, stderr } = await node(folder, ['--import', 'tsx', 'main.ts'])
  t.match(stdout, 'it is 2', stderr)
  t.equal(code, 0)
})

t.test('without tsx and jiti, one error says what to do', { skip: nodeStrips && 'Node does' }, async (t) => {
  const { code, stderr } = await run(project(t, [], TYPED), 'links.ts')
  t.equal(code, 1)
  t.match(
    stderr,
    /links\.ts: cannot be loaded as it is: Node \S+ loads no TypeScript by itself: npm install --save-dev tsx/,
  )
})

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

t.test('a syntax error shows its place, the line and a caret', async (t) => {
  const folder = project(t, nodeStrips ? [] : ['tsx'], {
    'bad.mjs': 'const a = 1\nexport const link = f({ a: 1,, })\n',
    'parent.mjs': "import { link } from './bad.mjs'\nexport { link }\n",
    'bad.cjs': 'exports.link = a a\n',
    'bad.ts': 'const a: number = 1\nexport const link: number = {{ a\n',
    'parent.ts': "import { link } from './bad.ts'\nexport { link }\n",
  })
  const cases = [
    ['bad.mjs', 'bad.mjs:2:30', 'export const link = f({ a: 1,, })'],
    ['parent.mjs', 'bad.mjs:2:30', 'export const link = f({ a: 1,, })'],
    ['bad.cjs', 'bad.cjs:1:18', 'exports.link = a a'],
    ['bad.ts', 'bad.ts:2:30', 'export const link: number = {{ a'],
    ['parent.ts', 'bad.ts:2:30', 'export const link: number = {{ a'],
  ] as const
  const commands = ['run', 'check', 'list', 'tune']
  for (const [at, [name, place, line]] of cases.entries()) {
    for (const command of at < 2 ? commands : commands.slice(0, 1)) {
      const { code, stderr } = await node(folder, [databay, command, name])
      t.not(code, 0)
      t.match(stderr, `${pathToFileURL(folder).href}/${place}`, command)
      const column = Number(place.split(':')[2])
      t.match(stderr, `\n    ${line}\n    ${' '.repeat(column - 1)}^\n`, command)
    }
  }
})

t.test(
  'a syntax error shows its place by jiti, also in the first column',
  { skip: nodeStrips && 'Node does' },
  async (t) => {
    const folder = project(t, ['jiti'], {
      'first.ts': 'const a: number = 1\n}\n',
      'bad.ts': 'const a: number = 1\nexport const link: number = {{ a\n',
      'parent.ts': "import { link } from './bad.ts'\nexport { link }\n",
    })
    for (const [name, place, frame] of [
      ['first.ts', 'first.ts:2:1', '    }\n    ^\n'],
      ['bad.ts', 'bad.ts:2:30', `    export const link: number = {{ a\n    ${' '.repeat(29)}^\n`],
      ['parent.ts', 'bad.ts:2:30', `    export const link: number = {{ a\n    ${' '.repeat(29)}^\n`],
    ] as const) {
      const { code, stderr } = await run(folder, name)
      t.not(code, 0)
      t.match(stderr, `does not parse: Unexpected token (${pathToFileURL(folder).href}/${place})\n${frame}`)
    }
  },
)

for (const loader of nodeStrips ? [undefined] : ['tsx', 'jiti']) {
  t.test(`what a module throws while it is loaded by ${loader ?? 'Node'} shows its place`, async (t) => {
    const folder = project(t, loader === undefined ? [] : [loader], {
      'boom.mjs': "\n  throw new Error('boom')\n",
      'boom.cjs': "\n  throw new Error('boom')\n",
      'boom.ts': "type A = number\n  throw new Error('boom')\n",
      'json.mjs': "const a = 1\nJSON.parse('bad')\n",
      'json.cjs': "const a = 1\nJSON.parse('bad')\n",
      'json.ts': "type A = number\nJSON.parse('bad')\n",
      'pattern.mjs': "new RegExp('(')\n",
      'script.mjs': "import vm from 'node:vm'\nnew vm.Script('a a')\n",
      'function.mjs': "new Function('a a')\n",
      'option.mjs': "import { Link } from 'databay'\nexport const link = new Link({ interval: -1 })\n",
      'type.mjs': '\nundefined.x\n',
      'parent.mjs': "import './boom.mjs'\n",
    })
    const cases = {
      'boom.mjs': ['boom', 'boom.mjs:2:9'],
      'boom.cjs': ['boom', 'boom.cjs:2:9'],
      'boom.ts': ['boom', /boom\.ts:2:\d+/],
      'json.mjs': ['.* is not valid JSON', 'json.mjs:2:6'],
      'json.cjs': ['.* is not valid JSON', 'json.cjs:2:6'],
      'json.ts': ['.* is not valid JSON', /json\.ts:2:\d+/],
      'pattern.mjs': ['Invalid regular expression: .*', 'pattern.mjs:1:1'],
      'script.mjs': ["Unexpected identifier 'a'", 'script.mjs:2:1'],
      'function.mjs': ["Unexpected identifier 'a'", 'function.mjs:1:1'],
      'option.mjs': ['interval: .*', 'option.mjs:2:21'],
      'type.mjs': ['Cannot read .*', 'type.mjs:2:11'],
      'parent.mjs': ['boom', 'boom.mjs:2:9'],
    } as const
    for (const [name, [message, place]] of Object.entries(cases)) {
      const { stderr } = await node(folder, [databay, 'check', name])
      const at = `${pathToFileURL(folder).href}/${typeof place === 'string' ? place : place.source}`
      t.match(stderr, new RegExp(`/${name}: failed to load: ${message} \\(${at}\\)$`, 'm'))
    }
  })
}

t.test('a file that does not parse is no throw of the module that requires it', async (t) => {
  const folder = project(t, [], {
    'bad.cjs': 'a a\n',
    'bad.json': '{ a }\n',
    'code.cjs': "require('./bad.cjs')\n",
    'json.cjs': "require('./bad.json')\n",
  })
  t.match(
    (await run(folder, 'code.cjs')).stderr,
    `does not parse: Unexpected identifier 'a' (${pathToFileURL(folder).href}/bad.cjs:1:3)`,
  )
  t.match((await run(folder, 'json.cjs')).stderr, /does not parse: .*bad\.json: /)
})

t.test('a syntax error shows the same in an error of a planner, also of a reload', async (t) => {
  const folder = project(t, [], {
    'links.mjs': `import { Link, NullInlet, NullOutlet } from 'databay'
import './helper.mjs'
export const link = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 1 })
`,
    'helper.mjs': '',
    'main.mjs': `import { writeFileSync } from 'node:fs'
import { WorkerPlanner } from 'databay'
const planner = new WorkerPlanner('links.mjs', { threads: 1 })
await planner.start()
writeFileSync('helper.mjs', 'a = = 1')
await planner.reload('links.mjs').catch((error) => console.log(error.stack))
await planner.shutdown()
`,
  })
  const { stdout } = await node(folder, ['main.mjs'])
  t.match(stdout, /helper\.mjs:1:5\)\n\n {4}a = = 1\n {8}\^\n/)
})

t.test('an import of helper.js where helper.ts is, and a misspelt module, say so', async (t) => {
  const folder = project(t, [], {
    'to-ts.mjs': "import './helper.js'\n",
    'to-js.mjs': "import './other.ts'\n",
    'near.mjs': "import './othr.js'\n",
    'helper.ts': '',
    'other.js': '',
  })
  t.match((await run(folder, 'to-ts.mjs')).stderr, 'there is helper.ts, but no helper.js: import it by that name')
  t.match((await run(folder, 'to-js.mjs')).stderr, 'there is other.js, but no other.ts: import it by that name')
  t.match((await run(folder, 'near.mjs')).stderr, 'did you mean other.js?')
  t.match((await run(folder, 'neer.mjs')).stderr, "got 'neer.mjs': did you mean near.mjs?")
})

t.test('what Node does not strip says how to go on', { skip: !nodeStrips && 'Node does not' }, async (t) => {
  const folder = project(t, [], { 'links.ts': 'export enum A { x = 1 }\n' })
  t.match(
    (await run(folder, 'links.ts')).stderr,
    /without enums, namespaces and parameter properties, or run it with NODE_OPTIONS='--import tsx'/,
  )
})
