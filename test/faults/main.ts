/**
 * Injects faults into a planner with real threads, one after the other, and prints what held.
 *
 *   node dist/test/faults/main.js [--group name] [--only name;name] [--mix] [--seed 1] [--seconds 60] [--json] [--slack]
 *
 * The random mix draws all its operations from its seed.
 */
import { parseArgs } from 'node:util'
import { changes } from './changes.js'
import { crash, crashBesideOneThatWaits, crashLoop, crashOfMany, failure } from './crashes.js'
import { mix } from './mix.js'
import { anySeed } from './random.js'
import { reloads } from './reloads.js'
import { shortage } from './shortages.js'
import { times } from './times.js'
import type { Outcome, Scenario } from './scenario.js'
import { hangInShutdown, hangInStart, terminated, terminatedTwice } from './stops.js'

const { values } = parseArgs({
  options: {
    group: { type: 'string' },
    only: { type: 'string' },
    mix: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(anySeed()) },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    slack: { type: 'boolean' },
  },
})

/** Groups of scenarios: each is a test file of its own. */
const GROUPS: { readonly [group: string]: readonly Scenario[] } = {
  losses: [
    crash('endless loop', { kind: 'loop', place: 'process', timeout: { milliseconds: 300 } }),
    crash('endless loop after a wait', { kind: 'loopAfterWait', place: 'pull', timeout: { milliseconds: 300 } }),
    crash('endless loop in one of 20 links of a thread', {
      kind: 'loop',
      place: 'process',
      neighbours: 19,
      timeout: { milliseconds: 300 },
    }),
    crash('endless loop outside of any deadline', { kind: 'loop', place: 'push', options: { hangTimeout: 2 } }),
    crash('out of memory', { kind: 'outOfMemory', place: 'process', options: { threadMemoryLimit: 64 } }),
    crash('process.exit', { kind: 'exit', place: 'pull' }),
    crash('late throw', { kind: 'lateThrow', place: 'push', blamed: false }),
    crash('late rejection', { kind: 'lateRejection', place: 'push', blamed: false }),
  ],
  failures: [
    failure('uncloneable result', 'uncloneableResult', 'pull'),
    failure('uncloneable error', 'uncloneableError', 'pull'),
    failure('throw null', 'throwNull', 'process'),
    failure('hang in pull', 'hang', 'pull', { milliseconds: 300 }),
    failure('hang in push', 'hang', 'push', { milliseconds: 300 }),
  ],
  stops: [
    hangInStart('hang in onStart'),
    hangInShutdown('hang in onShutdown', 'hang'),
    hangInShutdown('endless loop in onShutdown', 'loop'),
    terminated,
    terminatedTwice,
  ],
  changes: [...changes, ...reloads],
  times,
  shortages: [shortage('threads', 0), shortage('threads', 20), shortage('main', 0)],
  loops: [
    crashLoop('crash loop', 'exit'),
    crashLoop('crash loop by late throws', 'lateThrow'),
    crashOfMany,
    crashBesideOneThatWaits,
  ],
  mix: [mix(Number(values.seed), Number(values.seconds))],
}

interface Row {
  readonly fault: string
  readonly ok: boolean
  readonly held: string
  readonly recovery: number | undefined
}

async function tableRow(scenario: Scenario): Promise<Row> {
  const { name } = scenario
  try {
    const { held, recovery }: Outcome = await scenario.run()
    return { fault: name, ok: true, held, recovery: recovery === undefined ? undefined : Math.round(recovery) }
  } catch (error) {
    return { fault: name, ok: false, held: error instanceof Error ? error.message : String(error), recovery: undefined }
  }
}

const group = values.mix ? 'mix' : values.group
const chosen = (group === undefined ? Object.values(GROUPS).flat() : (GROUPS[group] ?? [])).filter(
  ({ name }) => values.only?.split(';').includes(name) ?? true,
)
let broken = 0
if (!values.json) console.log(`${'fault'.padEnd(46)}${'recovered'.padStart(10)}   what held`)
for (const scenario of chosen) {
  const row = await tableRow(scenario)
  if (!row.ok) broken++
  const recovery = row.recovery === undefined ? '' : `${row.recovery} ms`
  console.log(
    values.json
      ? JSON.stringify(row)
      : `${row.fault.padEnd(46)}${recovery.padStart(10)}   ${row.ok ? '' : 'NOT OK: '}${row.held}`,
  )
}
if (!values.json) console.log(`${chosen.length - broken} of ${chosen.length} held`)
process.exitCode = broken === 0 && chosen.length > 0 ? 0 : 1
