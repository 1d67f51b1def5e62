/** Compiles every program in the README against the real types, and runs it. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { mongoServer } from './helpers/mongo.js'

const root = resolve(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const databay = join(root, 'dist/src/cli/main.js')
const run = promisify(execFile)

const mongo = await mongoServer(t)

/** Code blocks that begin with the name of a file, as in `// links.js`, by that name. */
const programs = new Map(
  [...readme.matchAll(/```(?:js|ts)\n\/\/ (\S+)\n(.*?)```/gs)].map(([, name = '', code = '']) => [name, code]),
)

/** Writes a program of the README into a folder, as JavaScript; gives its path. */
function write(folder: string, name: string, change: (code: string) => string = (code) => code): string {
  const code = change(programs.get(name) ?? '')
  const path = join(folder, name.replace(/\.ts$/, '.js'))
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
  })
  writeFileSync(path, outputText)
  return path
}

async function todoServer(t: Test): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end('[{"id":1,"title":"one"},{"id":2,"title":"two"}]')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

t.test('the programs are the ones that are tested here', async (t) => {
  t.same([...programs.keys()].sort(), [
    'links.js',
    'logging.js',
    'main.js',
    'offload.js',
    'planner.js',
    'random-ints.ts',
    'shaping.ts',
    'squares.js',
    'stats.js',
    'when.js',
  ])
})

t.test('they compile against the types', async (t) => {
  const folder = t.testdir({})
  // `squares.js` stands for a user's module without types
  const typed = [...programs].filter(([name]) => name !== 'squares.js')
  const files = typed.map(([name, code]) => {
    const path = join(folder, name.replace(/\.js$/, '.ts'))
    writeFileSync(path, code)
    return path
  })
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  })
  const problems = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
    return `${file?.fileName.slice(folder.length) ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  t.same(problems, [])
})

t.test('the first link stores in MongoDB, by the command and by a program', { skip: mongo.skip }, async (t) => {
  const folder = t.testdir({})
  const http = await todoServer(t)
  const { url, database, db } = await mongo.database(t)
  write(folder, 'links.js', (code) =>
    code
      .replace('https://some.test.url.com/', http)
      .replace("database: 'databay'", `url: '${url}', database: '${database}'`),
  )
  const stored = async () => (await db.collection('todos').find().toArray()).map(({ _id, ...todo }) => todo)
  const todos = [
    { id: 1, title: 'one' },
    { id: 2, title: 'two' },
  ]
  await run(process.execPath, [databay, 'run', 'links.js', '--threads', '4', '--once'], { cwd: folder })
  t.same(await stored(), todos)

  const main = spawn(process.execPath, [write(folder, 'main.js')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  for (let waited = 0; (await stored()).length < 4 && waited < 200; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const exited = once(main, 'exit')
  main.kill('SIGTERM')
  await exited
  t.same(await stored(), [...todos, ...todos])
})

t.test('the inlet and outlet of your own print random numbers', async (t) => {
  const folder = t.testdir({})
  const args = [databay, 'run', write(folder, 'random-ints.ts'), '--threads', '1', '--transfers', '3']
  const { stdout } = await run(process.execPath, args)
  t.match(stdout, /^random_ints\.0 [1-6]\nrandom_ints\.1 [1-6]\nrandom_ints\.2 [1-6]\n$/)
})

t.test('the shaped link pushes words in pairs', async (t) => {
  const folder = t.testdir({})
  const args = [databay, 'run', write(folder, 'shaping.ts'), '--threads', '1', '--transfers', '5']
  const { stdout } = await run(process.execPath, args)
  const lines = stdout.trim().split('\n')
  t.ok(lines.length >= 1)
  for (const line of lines) t.match(line, /the number (\d\d|100)/)
})

t.test('the planner of the main thread transfers, and ends', async (t) => {
  const folder = t.testdir({})
  const { stdout } = await run(process.execPath, [write(folder, 'planner.js')])
  t.match(stdout, /numbers\.0 pulled 1/)
})

t.test('logging', async (t) => {
  const folder = t.testdir({})
  const { stdout } = await run(process.execPath, [write(folder, 'logging.js')])
  t.match(JSON.parse(stdout), { level: 30, name: 'databay.mine', msg: 'of my own' })
})

t.test('links of every kind of schedule run', async (t) => {
  const folder = t.testdir({})
  const { stderr } = await run(process.execPath, [databay, 'run', write(folder, 'when.js'), '--threads', '1', '--once'])
  t.match(stderr, /7 transfers of 7 links/)
})

t.test('a link of the main thread has its records processed in threads', async (t) => {
  const folder = t.testdir({})
  write(folder, 'squares.js')
  const { stdout } = await run(process.execPath, [write(folder, 'offload.js')])
  t.match(stdout, /9/)
})

t.test('the options in the table of names are options', async (t) => {
  const { CsvInlet, CsvOutlet, FileInlet, FileOutlet, HttpInlet, MongoOutlet, PrintOutlet } =
    await import('../src/index.js')
  const made: { [name: string]: (options: object) => unknown } = {
    CsvInlet: (options) => new CsvInlet('x.csv', options),
    CsvOutlet: (options) => new CsvOutlet('x.csv', options),
    FileInlet: (options) => new FileInlet('x', options),
    FileOutlet: (options) => new FileOutlet('x', options),
    HttpInlet: (options) => new HttpInlet('http://localhost/', options),
    MongoOutlet: (options) => new MongoOutlet(options),
    PrintOutlet: (options) => new PrintOutlet(options),
  }
  const rows = [...readme.matchAll(/`new (\w+(?:Inlet|Outlet))\((?:\w+, )?\{ ([^}]+) \}\)`/g)]
  t.ok(rows.length >= 5, 'they are found')
  for (const [, name = '', list = ''] of rows) {
    const options = Object.fromEntries(list.split(', ').map((option) => [option.split(':')[0] ?? '', undefined]))
    t.doesNotThrow(() => made[name]?.(options), `${name}: ${list}`)
  }
})
