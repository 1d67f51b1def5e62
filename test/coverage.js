/** Fails when the tests of the last run covered less of src than we promise. */
import { readFileSync } from 'node:fs'

/** Percent of all lines. Commands that tests run as processes of their own, such as `plan` and `explain`, are not measured. */
const LEAST = 97
/** Percent of the lines of a file: a file with less is printed. */
const LEAST_OF_FILE = 95

// programs that tests start are not measured, so that benches and fault scenarios do not count
const files = Object.entries(JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8')))
  .filter(([file]) => file.includes('/src/'))
  .map(([file, { lines }]) => ({ file: file.slice(file.indexOf('/src/') + 1), ...lines }))
const sum = (key) => files.reduce((all, lines) => all + lines[key], 0)
const percent = Math.floor((sum('covered') / sum('total')) * 10_000) / 100
const least = files.filter(({ pct }) => pct < LEAST_OF_FILE).map(({ file, pct }) => `  ${pct} % of ${file}`)
console.log(`coverage: ${percent} % of the lines of src, at least ${LEAST} % are asked for`)
if (least.length > 0) console.log([`below ${LEAST_OF_FILE} %:`, ...least].join('\n'))
process.exitCode = percent >= LEAST ? 0 : 1
