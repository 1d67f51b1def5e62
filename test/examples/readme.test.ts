import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { shown } from './readme.js'

const examples = new URL('../../examples/', import.meta.url)
const readme = readFileSync(new URL('README.md', examples), 'utf8')

t.test('each command that the README shows is run by a test', async (t) => {
  const here = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const texts = here.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  const run = texts.flatMap((text) => [...text.matchAll(/runShown\(t, '([^']+)'/g)].map(([, title]) => title))
  const titles = new Set(shown.map(({ title }) => title))
  t.same([...new Set(run)].sort(), [...titles].sort())

  const commands = [...readme.matchAll(/^(?:[A-Z_]+=\S+ )*(?:npx databay|node) .*$/gm)].map(([command]) => command)
  t.same(commands.sort(), shown.map(({ command }) => command).sort(), 'it shows the output of each')
})

t.test('the README shows a command for each example, and links to it', async (t) => {
  const modules = readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.ts') || (entry.isDirectory() && entry.name === 'cpu-heavy'))
    .map(({ name }) => name.replace(/\.ts$/, ''))
  t.ok(modules.length >= 9, 'they were found')
  for (const name of modules) {
    t.ok(
      shown.some(({ command }) => command.includes(`dist/examples/${name}`)),
      `a command for ${name}`,
    )
    t.match(readme, new RegExp(`\\]\\(${name}(\\.ts|/main\\.ts)\\)`), `a link to ${name}`)
  }
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
