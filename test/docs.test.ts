/** Runs the programs of docs/writing-connectors.md, and checks what pages for contributors say. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { startJobsService } from './helpers/jobs-service.js'
import { OPEN_PLAN, RULES } from './house.js'
import { testPage } from './helpers/pages.js'
import { Inlet } from '../src/core/inlet.js'
import { Outlet } from '../src/core/outlet.js'
import { Update } from '../src/core/update.js'
import { SchedulePlanner } from '../src/planners/schedule-planner.js'
import { InletTester, OutletTester, PlannerTester } from '../src/testing/index.js'

const root = resolve(import.meta.dirname, '..')
const docs = join(root, 'docs')
const writing = readFileSync(join(docs, 'writing-connectors.md'), 'utf8')

testPage(t, 'docs/writing-connectors.md', async (t, page) => {
  const folder = page.folder(t)

  t.test('the programs keep the contract, as their own tests show', async (t) => {
    for (const name of ['jobs.test.js', 'interval-planner.test.js']) {
      const { code, stdout } = await page.run(folder, `node --test --test-reporter=tap ${name}`)
      t.equal(code, 0, `${name} passes`)
      if (code !== 0) t.comment(stdout)
      t.match(stdout, /# tests (2[5-9]|[3-9]\d)\n/, `${name} has tests`)
    }
  })

  t.test('they move jobs from queue to queue', async (t) => {
    const { url, posted } = await startJobsService(t)
    const env = { JOBS_URL: url, JOBS_TOKEN: 'any' }
    const { code, stdout } = await page.run(folder, 'databay run links.js --threads 1 --once', env)
    t.equal(code, 0)
    t.match(stdout, "{ id: 1, queue: 'mail', work: 'first' }")
    t.same(posted, [{ queue: 'mail', jobs: [{ id: 1, queue: 'mail', work: 'first' }] }], 'metadata chose the queue')
  })

  t.test('the inlet that streams gives each line', async (t) => {
    const folder = page.folder(
      t,
      {},
      {
        'big.txt': 'one\ntwo\nthree',
        'lines.js': `
        import { Link, PrintOutlet } from 'databay'
        import { LinesInlet } from './lines-inlet.js'
        const outlets = new PrintOutlet({ onlyPayload: true, skipUpdate: true })
        export const lines = new Link({ inlets: new LinesInlet(), outlets, interval: 60 })
      `,
      },
    )
    page.hasRun('lines-inlet.js')
    const { stdout } = await page.run(folder, 'databay run lines.js --threads 1 --once')
    t.equal(stdout, 'one\ntwo\nthree\n')
  })

  t.test('what an inlet needs to work does not come by metadata', async (t) => {
    const { Correct } = (await page.load(folder, 'metadata.js')) as { Correct: new (table: string) => Inlet }
    t.same(await new Correct('prices').pull(new Update([], 0)), ['a row of prices'])
  })
})

t.test('every check of the suites is in the list of them', async (t) => {
  const names: string[] = []
  const list = (name: string) => void names.push(name)
  const [, listed = ''] = /## What the suites check\n(.*?)\n## /s.exec(writing) ?? []
  const common = { create: () => ({}) as never, secrets: ['s3cret'], hanging: () => ({}) as never }
  await new InletTester<Inlet>({ ...common, failing: () => ({}) as never, expected: 2 }).run(list)
  await new OutletTester<Outlet>({
    ...common,
    read: () => [],
    kinds: [{} as never],
    invalid: [{} as never],
    breakTarget: () => undefined,
  }).run(list)
  await new PlannerTester((links) => new SchedulePlanner(links)).run(list)
  await new PlannerTester({ create: (links) => new SchedulePlanner(links), pausable: false }).run(list)
  t.ok(names.length > 60)
  const items = new Set(listed.split('\n').flatMap((line) => (line.startsWith('- ') ? [line.slice(2)] : [])))
  t.same(new Set(names), items)
})

t.test('what the pages for contributors name is there', async (t) => {
  for (const page of ['docs/architecture.md', 'CONTRIBUTING.md']) {
    const text = readFileSync(join(root, page), 'utf8')
    const paths = [...text.matchAll(/`((?:bench|docs|examples|src|test|workers)\/[\w./-]*)`/g)].map(
      ([, path = '']) => path,
    )
    t.ok(paths.length > 5, page)
    // the examples of CONTRIBUTING.md add a connector for Redis
    for (const path of paths.filter((one) => !one.includes('redis')))
      t.ok(existsSync(join(root, path)), `${page}: ${path}`)
  }
})

t.test('the table of what each folder may import is that of the architecture test', async (t) => {
  const page = readFileSync(join(docs, 'architecture.md'), 'utf8')
  const [, table = ''] = /^\| folder +\| may import[^\n]*\n[^\n]*\n(.*?)\n\n/ms.exec(page) ?? []
  const named = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  const rows = table.split('\n').map((row) => {
    const [, folder = '', allowed = ''] = row.split('|')
    return [...named(folder), named(allowed)]
  })
  const short = (path: string) => path.replace(/^src\//, '')
  t.same(
    rows,
    RULES.map(([folder, allowed]) => [short(folder), allowed.map(short)]),
  )
  const [core, testing, cli, ...others] = OPEN_PLAN.map(short)
  t.same(others, [])
  t.match(page, `The subfolders of \`${core}\`, \`${testing}\` and \`${cli}\` may import each other.`)
})
