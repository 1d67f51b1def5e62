/** Compiles the programs of docs/writing-connectors.md against the real types, runs them, and checks what the pages say. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { startJobsService } from './helpers/jobs-service.js'
import { OPEN_PLAN, RULES } from './house.js'
import { databay, node, problemsOf, programsOf, write } from './helpers/programs.js'
import { Inlet } from '../src/core/inlet.js'
import { Outlet } from '../src/core/outlet.js'
import { SchedulePlanner } from '../src/planners/schedule-planner.js'
import { InletTester, OutletTester, PlannerTester } from '../src/testing/index.js'

const root = resolve(import.meta.dirname, '..')
const docs = join(root, 'docs')
const writing = readFileSync(join(docs, 'writing-connectors.md'), 'utf8')

t.test('the programs of the page on writing connectors', async (t) => {
  const programs = programsOf(writing)
  const folder = t.testdir({})
  write(folder, programs)

  t.test('are the ones that are tested here', async (t) => {
    t.same([...programs.keys()].sort(), [
      'interval-planner.test.ts',
      'interval-planner.ts',
      'jobs-client.ts',
      'jobs-inlet.ts',
      'jobs-outlet.ts',
      'jobs-server.ts',
      'jobs.test.ts',
      'links.ts',
    ])
  })

  t.test('compile against the types', async (t) => {
    t.same(problemsOf(folder, [...programs.keys()]), [])
  })

  t.test('keep the contract, as their own tests show', async (t) => {
    for (const name of ['jobs.test.js', 'interval-planner.test.js']) {
      const { code, stdout } = await node(folder, ['--test', '--test-reporter=tap', name])
      t.equal(code, 0, `${name} passes`)
      if (code !== 0) t.comment(stdout)
      t.match(stdout, /# tests (2[5-9]|[3-9]\d)\n/, `${name} has tests`)
    }
  })

  t.test('move jobs from queue to queue', async (t) => {
    const { url, posted } = await startJobsService(t)
    const args = [databay, 'run', 'links.js', '--threads', '1', '--once']
    const { code, stdout } = await node(folder, args, { JOBS_URL: url, JOBS_TOKEN: 'any' })
    t.equal(code, 0)
    t.match(stdout, "{ id: 1, queue: 'mail', work: 'first' }")
    t.same(posted, [{ queue: 'mail', jobs: [{ id: 1, queue: 'mail', work: 'first' }] }], 'metadata chose the queue')
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

t.test('links between the pages lead somewhere', async (t) => {
  const inDocs = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  const pages = ['README.md', 'CONTRIBUTING.md', ...inDocs.map((name) => `docs/${name}`)]
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(root, page), 'utf8')
    const anchors = (target: string) =>
      [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
      )
    for (const [, link = ''] of text.replaceAll(/```.*?```/gs, '').matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(root, page) : resolve(root, dirname(page), path)
      t.ok(existsSync(target), `${page}: ${link}`)
      if (anchor !== undefined && existsSync(target)) t.ok(anchors(target).includes(anchor), `${page}: ${link}`)
    }
  }
})
