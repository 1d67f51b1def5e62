/** Loads link modules of TypeScript in real threads, by Node, tsx and jiti. */
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { nodeStrips, project, run } from '../helpers/link-modules.js'
import { databay, node } from '../helpers/programs.js'

const root = resolve(import.meta.dirname, '../..')

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

const SHARING = `import { getLogger, Link, PrintOutlet, RandomIntInlet, Record } from 'databay'
const own = import('${pathToFileURL(join(root, 'dist/src/index.js')).href}')
const shown = async (records: Record<number>[]) => {
  const shared = (await own).Record === Record
  getLogger('databay.sharing').warn('it is told')
  return records.map((one) => one.with({ payload: \`shared: \${shared}\` }))
}
export const link: Link = ${LINK}
`

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

  for (const type of ['{}', '{"type":"commonjs"}', '{"type":"module"}']) {
    const name = `${loader} loads what a module imports, and shares this package, where package.json is ${type}`
    t.test(name, { skip: nodeStrips && 'Node does' }, async (t) => {
      const folder = project(t, [loader], { ...TYPED, 'sharing.ts': SHARING, 'package.json': type })
      // first the one that is not in TypeScript itself: the others bring the loader
      const args = [databay, 'run', 'mixed.mjs', 'links.ts', 'sharing.ts', '--threads', '1', '--once']
      const { code, stdout, stderr } = await node(folder, args)
      t.equal(code, 0)
      t.equal(stdout.match(/it is 2/g)?.length, 2, stderr)
      t.match(stdout, 'shared: true', stderr)
      t.match(stderr, /\|W\| it is told/, 'the log is the one of the command')
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

t.test('what Node does not strip says how to go on', { skip: !nodeStrips && 'Node does not' }, async (t) => {
  const folder = project(t, [], { 'links.ts': 'export enum A { x = 1 }\n' })
  t.match(
    (await run(folder, 'links.ts')).stderr,
    /without enums, namespaces and parameter properties, or run it with NODE_OPTIONS='--import tsx'/,
  )
})
