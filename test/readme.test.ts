/** Does what the README says, as it stands; its picture is made from a real recording. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mongoServer } from './helpers/mongo.js'
import { root, testPage } from './helpers/pages.js'
import { serve } from './helpers/servers.js'

const mongo = await mongoServer(t)

t.test('it can be read in one go', async (t) => {
  t.ok(statSync(join(root, 'README.md')).size <= 12_000)
})

t.test('the package to install is the one that is packed', async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const named = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/databay-(\d\S*?)\.tgz/g)
  t.same([...new Set([...named].map(([, found]) => found))], [version])
})

testPage(t, 'README.md', async (t, page) => {
  t.test('the first link runs in an empty folder, and prints what the page shows', async (t) => {
    const folder = await page.follow(t, 'A first link')
    t.equal(readFileSync(join(folder, 'factors.csv'), 'utf8').split(/\r?\n/)[3], '1000003,1000003')
    // without `--once` it follows its file
    appendFileSync(join(folder, 'numbers.csv'), '143\n')
    await page.run(folder, 'databay run links.mjs --threads 1 --once')
    t.match(readFileSync(join(folder, 'factors.csv'), 'utf8'), /^143,11\r?$/m)
  })

  t.test('the second stores each todo once in MongoDB', { skip: mongo.skip }, async (t) => {
    const todos = [
      { id: 1, title: 'one' },
      { id: 2, title: 'two' },
    ]
    const { url: http } = await serve(t, (_, response) => void response.end(JSON.stringify(todos)))
    const { url, database, db } = await mongo.database(t)
    const folder = page.folder(t, {
      'todos.mjs': (code) =>
        code
          .replace('https://jsonplaceholder.typicode.com/todos', http)
          .replace("url: 'mongodb://localhost:27017', database: 'databay'", `url: '${url}', database: '${database}'`)
          .replace('{ minutes: 1 }', '0.1'),
    })
    const check = await page.run(folder, 'databay check todos.mjs --connect')
    t.equal(check.code, 0, check.stderr)
    const { code, stderr } = await page.run(folder, 'databay run todos.mjs --threads 1 --transfers 3')
    t.equal(code, 0, stderr)
    const stored = await db.collection('todos').find().toArray()
    t.same(
      stored.map(({ _id, ...todo }) => todo),
      todos,
    )
  })
  if (mongo.skip !== false) page.hasRun('todos.mjs')

  t.test('the one in TypeScript runs in a program', async (t) => {
    const folder = page.folder(t, {
      'main.ts': (code) =>
        code.replace('await planner.finished', 'setTimeout(() => planner.shutdown(), 500)\nawait planner.finished'),
    })
    const { code, stdout, stderr } = await page.run(folder, 'node main.js')
    t.equal(code, 0, stderr)
    t.match(stdout, /^0 Record \{ payload: \d+, /m)
    t.match(stdout, /^dice pulled 2$/m)
  })
})

t.test('the picture is that of the recording', async (t) => {
  const recording = join(root, 'docs/recording')
  const drawn = execFileSync(process.execPath, [join(recording, 'render.js'), '-'], { encoding: 'utf8' })
  t.equal(drawn, readFileSync(join(recording, 'run.svg'), 'utf8'))
  for (const part of ['started 4 links', 'next due', 'threads busy', 'SIGINT', 'records pulled']) t.match(drawn, part)
})
