/**
 * Injects faults into a planner with real threads, one after the other, and prints what held.
 *
 *   node dist/test/faults/main.js [--group name] [--only name;name] [--mix] [--seed 1] [--seconds 60] [--json] [--slack]
 *   node dist/test/faults/main.js --mix --seeds 100 [--seed 1] [--seconds 12] [--resume file]
 *
 * The random mix draws all its operations from its seed. With `--seeds` it runs that many seeds from `--seed` on (1 without
 * it), one after the other; a file keeps which held, and the next time these are left out.
 */
import { parseArgs } from 'node:util'
import { changes } from './changes.js'
import { crash, crashBesideOneThatWaits, crashLoop, crashOfMany, failure } from './crashes.js'
import { handOffs } from './hand-offs.js'
import { mix } from './mix.js'
import { anySeed } from './random.js'
import { Seeds } from './seeds.js'
import { reloads } from './reloads.js'
import { shortage } from './shortages.js'
import { starts } from './starts.js'
import { times } from './times.js'
import type { Outcome, Scenario } from './scenario.js'
import { hangInShutdown, hangInStart, terminated, terminatedAgain, terminatedTwice } from './stops.js'

const { values } = parseArgs({
  options: {
    group: { type: 'string' },
    only: { type: 'string' },
    mix: { type: 'boolean', default: false },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    resume: { type: 'string', default: '.faults-seeds.json' },
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
    terminatedAgain,
    terminatedTwice,
  ],
  starts,
  handOffs,
  changes: [...changes, ...reloads],
  times,
  shortages: [shortage('threads', 0), shortage('threads', 20), shortage('main', 0)],
  loops: [
    crashLoop('crash loop', 'exit'),
    crashLoop('crash loop by late throws', 'lateThrow'),
    crashOfMany,
    crashBesideOneThatWaits,
  ],
  mix: [],
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

const seconds = Number(values.seconds)
const group = values.mix ? 'mix' : values.group
const isMany = values.seeds !== undefined
const seeds = isMany ? new Seeds(values.resume, seconds) : undefined
const first = Number(values.seed ?? (isMany ? 1 : anySeed()))
for (const [option, number] of Object.entries({ seed: first, seeds: Number(values.seeds ?? 1), seconds }))
  if (!(Number.isInteger(number) && number >= 0)) throw new Error(`--${option}: expected a whole number of at least 0`)
const mixed = seeds === undefined ? [first] : seeds.left(first, Number(values.seeds))
const mixes = mixed.map((seed) => ({ seed, ...mix(seed, seconds) }))
if (seeds !== undefined && !values.json) console.log(`${seeds.held} seeds held before, ${mixed.length} are left`)

interface Chosen extends Scenario {
  /** Seed of a random mix. */
  readonly seed?: number
}

const groups: { readonly [group: string]: readonly Chosen[] } = { ...GROUPS, mix: mixes }
const chosen = (group === undefined ? Object.values(groups).flat() : (groups[group] ?? [])).filter(
  ({ name }) => values.only?.split(';').includes(name) ?? true,
)
let broken = 0
if (!values.json) console.log(`${'fault'.padEnd(46)}${'recovered'.padStart(10)}   what held`)
for (const scenario of chosen) {
  const row = await tableRow(scenario)
  if (!row.ok) broken++
  if (scenario.seed !== undefined) seeds?.note(scenario.seed, row.ok)
  const recovery = row.recovery === undefined ? '' : `${row.recovery} ms`
  console.log(
    values.json
      ? JSON.stringify(row)
      : `${row.fault.padEnd(46)}${recovery.padStart(10)}   ${row.ok ? '' : 'NOT OK: '}${row.held}`,
  )
}
if (!values.json) console.log(`${chosen.length - broken} of ${chosen.length} held`)
process.exitCode = broken === 0 && (chosen.length > 0 || isMany) ? 0 : 1
