/** Checks that docs/command.md and the help of the command name the same options, and runs its program. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseCommandLine } from '../src/cli/program.js'
import { FakeStream } from './helpers/command.js'
import { testPage } from './helpers/pages.js'

const page = readFileSync(new URL('../docs/command.md', import.meta.url), 'utf8')

/** Options that a text names. */
function optionsIn(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g), ([option]) => option))
}

function help(command: string): string {
  const output = { stdout: new FakeStream(), stderr: new FakeStream() }
  parseCommandLine([command, '--help'], output)
  return output.stdout.text
}

t.test('the page on the command names the options that there are', async (t) => {
  const helps = ['run', 'check', 'list', 'tune', 'create'].map(help).join('\n')
  const known = optionsIn(helps)
  known.delete('--help')
  const told = optionsIn(page)
  t.same([...known].filter((option) => !told.has(option)).sort(), [], 'all are on the page')
  known.add('--ignore-exceptions') // without effect, and not shown any more
  t.same([...told].filter((option) => !known.has(option)).sort(), [], 'none but these is on the page')
})

testPage(t, 'docs/command.md', async (t, page) => {
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
