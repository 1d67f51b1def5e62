/** Checks that docs/command.md and the help of the command name the same options, and runs its program. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseCommandLine } from '../src/cli/program.js'
import { FakeStream } from './helpers/command.js'
import { testPage, withoutNumbers } from './helpers/pages.js'

const page = readFileSync(new URL('../docs/command.md', import.meta.url), 'utf8')

/** Lines without numbers, and without the date of a due time: it is left out on the same day. */
function shape(text: string): string[] {
  return withoutNumbers(text)
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replaceAll(/# #(?= |$)/g, '#'))
}

/** Options that a text names. */
function optionsIn(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g), ([option]) => option))
}

function help(command: string): string {
  const output = { stdout: new FakeStream(), stderr: new FakeStream() }
  parseCommandLine([...command.split(' '), '--help'], output)
  return output.stdout.text
}

t.test('the page on the command names the options that there are', async (t) => {
  const helps = [
    'run',
    'check',
    'list',
    'plan',
    'explain',
    'tune',
    'create',
    'config',
    'store check',
    'store salvage',
    'store vacuum',
    'status',
    'force',
    'pause',
  ]
    .map(help)
    .join('\n')
  const known = optionsIn(helps)
  known.delete('--help')
  const told = optionsIn(page)
  t.same([...known].filter((option) => !told.has(option)).sort(), [], 'all are on the page')
  known.add('--ignore-exceptions') // without effect, and not shown any more
  t.same([...told].filter((option) => !known.has(option)).sort(), [], 'none but these is on the page')
})

testPage(t, 'docs/command.md', async (t, page) => {
  const texts = page.blocks.filter(({ language }) => language === 'text').map(({ code }) => code)

  const links = `
    import { CsvOutlet, HttpInlet, Link, MongoInlet, MongoOutlet } from 'databay'
    const mongo = { url: 'mongodb://127.0.0.1:1/x', database: 'x', collection: 'x' }
    export const backup = new Link({
      inlets: new MongoInlet(mongo), outlets: new CsvOutlet('backup.csv'),
      cron: '30 2 * * *', timeZone: 'Europe/Oslo', lane: 'io',
    })
    export const todos = new Link({
      inlets: new HttpInlet('http://127.0.0.1:1/'), outlets: new MongoOutlet(mongo),
      interval: 5, tags: 'http_to_mongo',
    })
  `

  t.test('check prints the table of the page', async (t) => {
    const folder = page.folder(t, {}, { 'links.js': links })
    const { code, stdout, stderr } = await page.run(folder, 'databay check links.js')
    t.equal(code, 0, stderr)
    t.same(shape(stdout), shape(texts[0] ?? ''))
  })

  t.test('a planner in a program goes on after a failed transfer', async (t) => {
    const links = `
      import { writeSync } from 'node:fs'
      import { Inlet, Link, NullOutlet } from 'databay'
      class Fails extends Inlet {
        #pulls = 0
        pull(update) {
          writeSync(1, 'pull ' + ++this.#pulls)
          if (this.#pulls === 3) process.kill(process.pid, 'SIGTERM')
          throw new Error('no luck')
        }
      }
      export const failing = new Link({ inlets: new Fails(), outlets: new NullOutlet(), interval: 0.01 })
    `
    const { stdout, stderr } = await page.run(page.folder(t, {}, { 'links.js': links }), 'node main.js')
    t.match(stderr, 'no luck')
    t.match(stdout, 'pull 3')
  })
})
