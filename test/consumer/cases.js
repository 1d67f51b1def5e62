/** What users of the package do. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import path from 'node:path'
import { expect, ROOT } from './consumer.js'
import { checkTarball } from './package.js'
import { runFirstExample } from './readme.js'

const TYPESCRIPT = ['typescript@~6.0', '@types/node@^20.19']

/** Program that transfers the links of a module once, and prints how each transfer went. */
const program = (head, module) => `${head}
const planner = new WorkerPlanner(${module}, { threads: 2 })
planner.on('transfer', ({ link, pulled, errors }) => {
  console.log(link, pulled, errors.map(({ message }) => message).join())
  void planner.shutdown()
})
planner.start().then(() => planner.finished).catch((error) => console.log('stopped:', error.message))
`

const IMPORT = "import { WorkerPlanner } from 'databay'"
const moduleUrl = (name) => `new URL('./${name}', import.meta.url)`

const ROWS = 'a\n1\n2\n'
const link = (name) => `export const ${name} = new Link({
  inlets: new CsvInlet('rows.csv'), outlets: new CsvOutlet('copy.csv'), interval: { hours: 1 },
})
`

const TYPED = `import { Inlet, Link, NullOutlet, WorkerPlanner, type InletOptions, type Record, type Update } from 'databay'
import { InletTester } from 'databay/testing'

export class Numbers extends Inlet<number> {
  readonly #from: number
  constructor(from: number, options?: InletOptions) {
    super(options)
    this.#from = from
  }
  pull(_update: Update): number[] {
    return [this.#from, this.#from + 1]
  }
}
export const numbers = new Link({
  inlets: new Numbers(1),
  processors: (records: Record<number>[]) => records.map((record) => record.with({ payload: record.payload * 2 })),
  outlets: new NullOutlet(),
  interval: 1,
})
// @ts-expect-error a link has an interval or a cron expression
export const undated = () => new Link({ inlets: new Numbers(1), outlets: new NullOutlet() })
export const tester = new InletTester((options) => new Numbers(1, options))
export const planner = new WorkerPlanner(new URL('./links.js', import.meta.url), { threads: 1 })
planner.on('transfer', (report) => {
  const pulled: number = report.pulled
  console.log(pulled)
})
`

async function compiles(consumer, compilerOptions) {
  await consumer.install(...TYPESCRIPT)
  const options = {
    strict: true,
    skipLibCheck: false,
    target: 'es2023',
    types: ['node'],
    outDir: 'out',
    ...compilerOptions,
  }
  consumer.write({ 'tsconfig.json': { compilerOptions: options, include: ['*.mts'] }, 'links.mts': TYPED })
  await consumer.run('npx tsc')
}

/** Runs both commands of a project that `databay create` has written. */
async function works(project) {
  await project.run('npm install')
  expect(await project.run('npm test'), /pass 1\b/)
  const output = await project.run('npm start', { stopWhen: /orders .*now, then/ })
  expect(output, /orders +every 5 s/)
  expect(project.read('totals.csv'), /^id,item,quantity,price,total\nA1,pencil,12,0\.5,6\n/)
}

export const CASES = [
  {
    name: 'databay create, and npm test and npm start of its project',
    async run(consumer) {
      await consumer.install()
      await consumer.run('npx databay create my-project')
      const project = consumer.within('my-project')
      expect(project.read('package.json'), /"databay": "file:[^"]+databay-[\d.]+\.tgz"/)
      await works(project)
    },
  },
  {
    name: 'databay create --js, from the tarball and from the clone',
    async run(consumer) {
      await consumer.install()
      await consumer.run('npx databay create from-tarball --js')
      await works(consumer.within('from-tarball'))
      await consumer.run(`node '${path.join(ROOT, 'dist/src/cli/main.js')}' create from-clone --js`)
      expect(consumer.read('from-clone/package.json'), new RegExp(`"databay": "file:${RegExp.escape?.(ROOT) ?? ROOT}"`))
      await works(consumer.within('from-clone'))
    },
  },
  {
    name: 'TypeScript in threads, by tsx',
    async run(consumer) {
      await consumer.install('tsx')
      // an enum is more than types: Node itself does not load it
      const module = `import { CsvInlet, CsvOutlet, Link } from 'databay'\nenum Kind { Plain }\n${link('rows')}`
      consumer.write({ 'rows.csv': ROWS, 'links.mts': `${module}export const kind: Kind = Kind.Plain\n` })
      consumer.write({ 'main.mts': program(IMPORT, moduleUrl('links.mts')) })
      expect(await consumer.run('node --import tsx main.mts'), /^rows 2 $/m)
      const once = 'npx databay run --once'
      expect(await consumer.run(`NODE_OPTIONS='--import tsx' ${once} links.mts`), /2 records pulled, 2 pushed/)
      // of types alone, by tsx that the threads find, or by Node itself
      consumer.write({
        'typed.mts': `import { CsvInlet, CsvOutlet, Link } from 'databay'\n${link('rows')}type Row = string\n`,
      })
      expect(await consumer.run(`${once} typed.mts`), /2 records pulled, 2 pushed/)
    },
  },
  {
    name: 'CommonJS: require, and a link module with require',
    async run(consumer) {
      await consumer.install()
      const head = "const { CsvInlet, CsvOutlet, Link } = require('databay')\n"
      const module = head + link('rows').replace('export const rows', 'exports.rows')
      consumer.write({ 'rows.csv': ROWS, 'links.cjs': module, 'links.js': module })
      const main = program("const { WorkerPlanner } = require('databay')", "require.resolve('./links.cjs')")
      consumer.write({ 'main.js': `${main}require('databay/testing').InletTester.name\n` })
      expect(await consumer.run('node main.js'), /^rows 2 $/m)
      // the file is read to its end by a run of its own: it starts where nothing is kept
      expect(await consumer.run('npx databay run links.js --once'), /2 records pulled, 2 pushed/)
    },
  },
  {
    name: 'TypeScript, strict, by nodenext, libraries checked',
    run: async (consumer) => {
      await compiles(consumer, { module: 'nodenext' })
      await consumer.run('node out/links.mjs')
    },
  },
  {
    name: 'TypeScript, strict, by bundler, libraries checked',
    run: (consumer) => compiles(consumer, { module: 'esnext', moduleResolution: 'bundler' }),
  },
  {
    name: 'vitest: a contract suite finds a timer that is left running, and passes without',
    async run(consumer) {
      await consumer.install('vitest@^4')
      const suite = (onShutdown) => `import { test } from 'vitest'
import { Inlet } from 'databay'
import { InletTester } from 'databay/testing'
class Ticking extends Inlet {
  #timer
  onStart() { this.#timer = setInterval(() => {}, 1000) }
  pull() { return [1] }
  onShutdown() { ${onShutdown} }
}
new InletTester({ timeout: 0.5, create: (options) => new Ticking(options) }).run(test)
`
      consumer.write({ 'leaky.test.mjs': suite(''), 'sound.test.mjs': suite('clearInterval(this.#timer)') })
      expect(await consumer.run('npx vitest run sound'), /Tests +\d+ passed \(/)
      for (const pool of ['forks', 'threads']) {
        const output = await consumer.run(`npx vitest run leaky --pool ${pool}`, { code: 1 })
        expect(output, /Ticking left something open after its shutdown: Timeout/)
        expect(output, /Tests +1 failed/)
      }
    },
  },
  {
    name: "the README's first example, as it stands",
    async run(consumer) {
      await consumer.install()
      await runFirstExample(consumer)
    },
  },
  {
    name: 'JavaScript: a program, the command, and a contract suite under node:test',
    async run(consumer) {
      await consumer.install()
      const head = "import { CsvInlet, CsvOutlet, Link } from 'databay'\n"
      consumer.write({
        'rows.csv': ROWS,
        'links.mjs': head + link('rows'),
        'main.mjs': program(IMPORT, moduleUrl('links.mjs')),
      })
      expect(await consumer.run('node main.mjs'), /^rows 2 $/m)
      expect(consumer.read('copy.csv'), /^a\n1\n2\n$/)
      expect(await consumer.run('npx databay check links.mjs'), /1 link of 1 module/)
      consumer.write({
        'suite.test.mjs': `import { test } from 'node:test'
import { RandomIntInlet } from 'databay'
import { InletTester } from 'databay/testing'
new InletTester((options) => new RandomIntInlet(0, 9, options)).run(test)
`,
      })
      expect(await consumer.run('node --test suite.test.mjs'), /fail 0\b/)
    },
  },
  {
    name: 'peers absent: what to install is said, and present: they are used',
    async run(consumer) {
      await consumer.install()
      const server = createServer((_request, response) => response.end('[{"a":1},{"a":2}]')).listen(0, '127.0.0.1')
      await once(server, 'listening')
      try {
        const head = "import { HttpInlet, Link, MongoInlet, NullOutlet } from 'databay'\n"
        const poll = (name, inlet) =>
          `${head}export const ${name} = new Link({ inlets: ${inlet}, outlets: new NullOutlet(), interval: 60 })\n`
        consumer.write({
          'web.mjs': poll('web', `new HttpInlet('http://127.0.0.1:${server.address().port}/')`),
          'mongo.mjs': poll(
            'mongo',
            "new MongoInlet({ url: 'mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300', database: 'd', collection: 'c' })",
          ),
        })
        expect(await consumer.run('npx databay run web.mjs --once', { code: 1 }), /npm install undici/)
        expect(await consumer.run('npx databay run mongo.mjs --once', { code: 1 }), /npm install mongodb/)
        const traced = 'npx databay run web.mjs --once --telemetry'
        expect(await consumer.run(traced, { code: 1 }), /npm install @opentelemetry\/api/)
        await consumer.run('npm install undici@^7.20.0 mongodb@^7 @opentelemetry/api@^1.9.0')
        expect(await consumer.run(traced), /2 records pulled, 2 pushed/)
        expect(await consumer.run('npx databay run web.mjs --once'), /2 records pulled, 2 pushed/)
        const refused = await consumer.run('npx databay run mongo.mjs --once', { code: 1 })
        expect(refused, /ECONNREFUSED/)
        if (/npm install mongodb/.test(refused)) throw new Error(`the installed driver is not found:\n${refused}`)
      } finally {
        server.close()
      }
    },
  },
  {
    name: 'the tarball: its size and files, publint and attw',
    async run(consumer) {
      checkTarball(consumer.tarball)
      const bin = path.join(ROOT, 'node_modules/.bin')
      await consumer.run(`'${bin}/publint' --strict '${consumer.tarball}'`)
      await consumer.run(`'${bin}/attw' --config-path '${path.join(ROOT, '.attw.json')}' '${consumer.tarball}'`)
    },
  },
]
