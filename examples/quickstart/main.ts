/**
 * Polls a feed of earthquakes, analyses what is new in worker threads, and appends it to CSV files, one per region.
 * Ends by itself when the feed is used up, and checks that each accepted event was written exactly once.
 */
import { parseArguments, USAGE, type Arguments } from './arguments.js'
import { run } from './run.js'
import { openLive, openReplay } from './source.js'
import { progressLine, summary, where } from './summary.js'
import { compareWithFeed, findRepeated, readWritten } from './verify.js'

const PROBLEMS_SHOWN = 20

/** Runs the example; gives the exit code. */
async function main(options: Arguments): Promise<number> {
  const say = options.json ? () => undefined : console.log
  const source = options.url === undefined ? await openReplay() : openLive(options.url)
  try {
    say(announcement(options, source.features?.length))
    const outcome = await run(options, source, (totals, seconds) => {
      say(progressLine(totals, seconds, source.progress))
    })
    const written = await readWritten(options.out)
    say(summary(options, source, outcome, written))

    const complete = source.features !== undefined && outcome.ending === 'the feed is used up'
    const problems = findRepeated(written)
    if (complete) problems.push(...compareWithFeed(written, source.features))
    if (written.places.size !== outcome.totals.written)
      problems.push(`${outcome.totals.written} events were written, and ${written.places.size} are in the files`)
    say(verdict(problems, complete))
    if (options.json) console.log(JSON.stringify({ ...outcome, problems }))
    return problems.length === 0 ? 0 : 1
  } finally {
    await source.close()
  }
}

function announcement(options: Arguments, events: number | undefined): string {
  const what =
    options.url === undefined
      ? `Replaying a week of earthquakes, ${events} events (USGS, public domain)`
      : `Polling ${options.url} until Ctrl-C`
  return `${what}, ${where(options)}.`
}

function verdict(problems: readonly string[], complete: boolean): string {
  if (problems.length > 0) {
    const shown = problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${problem}`)
    return [`Wrong: ${problems.length} problems with the files`, ...shown].join('\n')
  }
  return complete
    ? 'Verified: each accepted event of the feed is in the file of its region, exactly once.'
    : 'Verified: each event that was written is in the files exactly once.'
}

let options: Arguments
try {
  options = parseArguments(process.argv.slice(2))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  process.exit(2)
}
if (options.help) {
  console.log(USAGE)
} else {
  try {
    process.exitCode = await main(options)
  } catch (error) {
    console.error(`Failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
