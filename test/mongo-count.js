/** Prints how many tests of MongoDB the last run made, and how many it skipped as there was no server. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const RESULTS = '.tap/test-results/test'

/** Passed tests: unlike assertions, tests have a time. In files that are not about MongoDB alone, their names tell. */
const PASSED = /^ *ok \d+ - .* # time=/gm
const PASSED_BY_NAME = /^ *ok \d+ - .*Mongo.* # time=/gm

let run = 0
let skipped = 0
for (const name of readdirSync(RESULTS, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.tap'),
)) {
  const text = readFileSync(path.join(RESULTS, name), 'utf8')
  const wanted = name.includes('connectors/mongodb/') ? PASSED : PASSED_BY_NAME
  const source = path.join('test', name.slice(0, -'.tap'.length))
  if (existsSync(source) && readFileSync(source, 'utf8').includes('helpers/mongo.js'))
    run += text.match(wanted)?.length ?? 0
  skipped += text.match(/^ *ok \d+ - .* # SKIP no MongoDB/gm)?.length ?? 0
}
const hint = skipped === 0 ? '' : ': set MONGODB_URL, or have mongod or go on the PATH'
console.log(`MongoDB: ${run} tests run, ${skipped} skipped${hint}`)
