import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'
import { shown } from './readme.js'

const examples = new URL('../../examples/', import.meta.url)
const readme = readFileSync(new URL('README.md', examples), 'utf8')

t.test('each command that the README shows is run by a test', async (t) => {
  const here = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const texts = here.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  const run = texts.flatMap((text) => [...text.matchAll(/runShown\(t, '([^']+)'/g)].map(([, title]) => title))
  const titles = new Set(shown.map(({ title }) => title))
  t.same([...new Set(run)].sort(), [...titles].sort())

  // what runs on in the background is run by a test of its own
  const commands = [...readme.matchAll(/^(?:[A-Z0-9_]+=\S+ )*(?:npx databay|node) .*[^&]$/gm)].map(
    ([command]) => command,
  )
  t.same(commands.sort(), shown.map(({ command }) => command).sort(), 'it shows the output of each')
})

t.test('the README shows a command for each example, and links to it', async (t) => {
  const modules = readdirSync(examples, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.name.endsWith('.ts') ||
        (entry.isDirectory() && !['quickstart', 'output', 'deployment'].includes(entry.name)),
    )
    .map(({ name }) => name.replace(/\.ts$/, ''))
  t.ok(modules.length >= 9, 'they were found')
  for (const name of modules) {
    t.ok(readme.includes(` dist/examples/${name}`), `a command for ${name}`)
    t.match(readme, new RegExp(`\\]\\(${name}(\\.ts|/(main|links|app)\\.ts)\\)`), `a link to ${name}`)
  }
})

t.test('programs that a user might write have less than 40 lines, with all that belongs to them', (t) => {
  const programs = [
    'orders-api.ts',
    'api-to-postgres.ts',
    'postgres-to-webhook.ts',
    'csv-to-s3.ts',
    'access-log.ts',
    'nightly.ts',
    'disk-alerts',
    'fastify-app',
  ]
  for (const program of programs) {
    const files = program.endsWith('.ts')
      ? [program]
      : readdirSync(new URL(program, examples)).map((file) => `${program}/${file}`)
    const texts = files.map((file) => readFileSync(new URL(file, examples), 'utf8'))
    t.ok(texts.join('').split('\n').length - 1 < 40, program)
    const { diagnostics = [] } = ts.transpileModule(texts.join(''), {
      reportDiagnostics: true,
      compilerOptions: { erasableSyntaxOnly: true, target: ts.ScriptTarget.ESNext },
    })
    t.same(
      diagnostics.map(({ messageText }) => messageText),
      [],
      `${program}: Node can strip its types`,
    )
  }
  t.end()
})

t.test('examples are made with what everyone can import', async (t) => {
  for (const name of readdirSync(examples).filter((name) => name.endsWith('.ts'))) {
    const imports = [...readFileSync(new URL(name, examples), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, from]) => from,
    )
    t.ok(imports.includes('databay'), name)
    t.notOk(
      imports.some((from) => from?.startsWith('.')),
      `${name} is complete in itself`,
    )
  }
})
