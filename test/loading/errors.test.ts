/** Loads link modules in real threads that do not parse, throw, or import what is not there. */
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { nodeStrips, project, run } from '../helpers/link-modules.js'
import { databay, node } from '../helpers/programs.js'

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
    // a loader of TypeScript comes with the first .ts: it must not be there for the others
    const [typed, plain] = [true, false].map((ts) => Object.keys(cases).filter((name) => name.endsWith('.ts') === ts))
    const [ofTyped, ofPlain] = await Promise.all(
      [typed, plain].map((names) => node(folder, [databay, 'check', ...(names ?? [])])),
    )
    for (const [name, [message, place]] of Object.entries(cases)) {
      const stderr = (name.endsWith('.ts') ? ofTyped : ofPlain)?.stderr
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
