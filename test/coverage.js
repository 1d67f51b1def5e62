/** Fails when the tests of the last run covered less of `src` than we promise. */
import { readFileSync } from 'node:fs'

const LEAST = 95

const files = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'))
const { pct } = files.total.lines
const least = Object.entries(files)
  .filter(([file, { lines }]) => file.includes('/src/') && lines.pct < LEAST)
  .map(([file, { lines }]) => `  ${lines.pct} % of ${file.slice(file.indexOf('/src/') + 1)}`)
console.log(`coverage: ${pct} % of the lines, at least ${LEAST} % are asked for`)
if (least.length > 0) console.log(['below that:', ...least].join('\n'))
process.exitCode = pct >= LEAST ? 0 : 1
