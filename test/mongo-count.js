/** Says how many tests of MongoDB the last run made, and how many it skipped for want of a server. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const RESULTS = '.tap/test-results/test'

let run = 0
let skipped = 0
for (const name of readdirSync(RESULTS, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.tap'),
)) {
  const text = readFileSync(path.join(RESULTS, name), 'utf8')
  // tests have a time, assertions have none
  if (/^mongo-/.test(path.basename(name))) run += text.match(/^ *ok \d+ - .* # time=/gm)?.length ?? 0
  skipped += text.match(/^ *ok \d+ - .* # SKIP no MongoDB/gm)?.length ?? 0
}
const hint = skipped === 0 ? '' : ': set MONGODB_URL, or have mongod or go on the PATH'
console.log(`MongoDB: ${run} tests run, ${skipped} skipped${hint}`)
