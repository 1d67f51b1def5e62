/**
 * Prints how many tests the last run made of each system that needs a server, and how many it skipped as there was none.
 * Arguments: folders of the results and of the tests, if not those of `npm test`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Systems, each with its folder below test/connectors, the helper that starts its server, and what to do without one. */
const SYSTEMS = [
  {
    name: 'MongoDB',
    word: 'Mongo',
    folder: 'mongodb',
    helper: 'mongo',
    hint: 'set MONGODB_URL, or have mongod or go on the PATH',
  },
  {
    name: 'PostgreSQL',
    word: 'Postgres',
    folder: 'postgres',
    helper: 'postgres',
    hint: 'set DATABASE_URL, or install PostgreSQL',
  },
  { name: 'S3', word: 'S3', folder: 's3', helper: 's3', hint: 'set S3_ENDPOINT, or install s3rver' },
]

/** Passed tests: unlike assertions, tests have a time. In files that are not about one system alone, their names tell. */
const passed = (word) => new RegExp(`^ *ok \\d+ - .*${word}.* # time=`, 'gm')

const [results = '.tap/test-results/test', tests = 'test'] = process.argv.slice(2)
const files = readdirSync(results, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.tap'))
  .map((name) => {
    const source = path.join(tests, name.slice(0, -'.tap'.length))
    const code = existsSync(source) ? readFileSync(source, 'utf8') : ''
    return { name, code, text: readFileSync(path.join(results, name), 'utf8') }
  })

for (const { name: system, word, folder, helper, hint } of SYSTEMS) {
  const count = (pattern, of) => of.reduce((sum, { text }) => sum + (text.match(pattern)?.length ?? 0), 0)
  const using = files.filter(({ code }) => code.includes(`helpers/${helper}.js`))
  const own = using.filter(({ name }) => name.includes(`connectors/${folder}/`))
  const others = using.filter((file) => !own.includes(file))
  const run = count(passed(''), own) + count(passed(word), others)
  const skipped = count(new RegExp(`^ *ok \\d+ - .* # SKIP no ${system}`, 'gm'), files)
  console.log(`${system}: ${run} tests run, ${skipped} skipped${skipped === 0 ? '' : `: ${hint}`}`)
}
