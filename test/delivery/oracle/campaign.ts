import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { seeded } from '../../faults/random.js'
import { Trial, type Outcome, type Step } from './trial.js'

/** What is to be tried. */
export interface Campaign {
  readonly folder: string
  readonly seed: number
  /** Number of kills at random times. */
  readonly kills: number
  /** Number of operations of the store at which it is killed. */
  readonly operations: number
  readonly threadKills: number
  /** Number of stores at a time. */
  readonly lanes: number
  /** Whether outlets fail and refuse records. */
  readonly fails: boolean
  readonly onProgress?: (done: number, of: number) => void
}

/** What came of one kind of kills at one outlet. */
export interface Row {
  readonly kind: string
  readonly outlet: string
  readonly records: number
  readonly dead: number
  readonly kills: number
  readonly lost: number
  readonly outOfOrder: number
  readonly double: number
  /** Most records that came again after one kill. */
  readonly mostDouble: number
  /** Longest time to recover, in milliseconds. */
  readonly recovery: number
}

/** Number of thread kills in one life: a link that ends its threads more often is kept away from them. */
const IN_ONE_LIFE = 4

/** Tries all, and gives a row for each kind of kills and outlet, and what is wrong. */
export async function campaign(orders: Campaign): Promise<{ rows: Row[]; wrong: string[] }> {
  const groups = new Map<string, readonly Step[]>([
    ['process', Array.from({ length: orders.kills }, () => ({ kind: 'process' }))],
    ['operation', [...operations(orders.operations), ...systemCalls(orders.operations)]],
    ['thread', threads(orders.threadKills)],
  ])
  const all = [...groups.values()].flat()
  const of = all.reduce((sum, step) => sum + killsOf(step), 0)
  let done = 0
  const onStep = (step: Step) => {
    done += killsOf(step)
    orders.onProgress?.(done, of)
  }
  const outcomes = new Map<string, Outcome[]>()
  const wrong: string[] = []
  const tasks = [...groups].flatMap(([kind, steps]) =>
    parts(steps, orders.lanes).map((part, number) => ({ kind, part, number })),
  )
  const lane = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const { kind, part, number } = task
      const name = `${kind}-${number}`
      const trial = new Trial(join(orders.folder, name), seeded(orders.seed + number), orders.fails)
      const outcome = await trial.run(part, onStep)
      outcomes.set(kind, [...(outcomes.get(kind) ?? []), outcome])
      wrong.push(...outcome.wrong.map((what) => `${name}: ${what}`))
    }
  }
  await Promise.all(Array.from({ length: orders.lanes }, lane))
  return { rows: [...outcomes].flatMap(([kind, some]) => rowsOf(kind, some)), wrong }
}

function killsOf(step: Step): number {
  return step.kind === 'threads' ? step.count : 1
}

/** Kills at operations: of threads before each odd and after each even one, and before some of the main thread. */
function operations(count: number): Step[] {
  const steps = Array.from({ length: count }, (_, index): Step => {
    const at = index + 1
    return { kind: 'operation', kill: { at, when: at % 2 === 1 ? 'before' : 'after', where: 'thread' } }
  })
  for (let at = 4; at <= Math.min(count, MAIN_OPERATIONS); at += 4)
    steps.push({ kind: 'operation', kill: { at, when: 'before', where: 'main' } })
  return steps
}

/** Number of operations that the main thread makes at least when it opens a store. */
const MAIN_OPERATIONS = 12

/** Kills at every tenth write or sync that a thread makes, where there is strace. */
function systemCalls(count: number): Step[] {
  if (!canTrace()) return []
  return Array.from({ length: Math.floor(count / 10) }, (_, index) => ({ kind: 'system call', at: 10 * index + 7 }))
}

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-e', 'inject=fsync:signal=KILL:when=999', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function threads(count: number): Step[] {
  const lives = Math.ceil(count / IN_ONE_LIFE)
  return Array.from({ length: lives }, (_, life) => ({
    kind: 'threads',
    count: Math.min(IN_ONE_LIFE, count - life * IN_ONE_LIFE),
  }))
}

/** Divides steps into as many lists. */
function parts(steps: readonly Step[], count: number): Step[][] {
  const length = Math.ceil(steps.length / count)
  return Array.from({ length: count }, (_, part) => steps.slice(part * length, (part + 1) * length)).filter(
    (part) => part.length > 0,
  )
}

function rowsOf(kind: string, outcomes: readonly Outcome[]): Row[] {
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0)
  const kills = sum(outcomes.map((outcome) => outcome.kills))
  const recovery = Math.max(...outcomes.map((outcome) => outcome.recovery))
  const outlets = [...(outcomes[0]?.verdicts.keys() ?? [])]
  const rows = outlets.map((outlet): Row => {
    const verdicts = outcomes.flatMap(({ verdicts }) => verdicts.get(outlet) ?? [])
    return {
      kind,
      outlet,
      kills,
      recovery,
      records: sum(verdicts.map(({ records }) => records)),
      dead: sum(verdicts.map(({ dead }) => dead)),
      lost: sum(verdicts.map(({ lost }) => lost)),
      outOfOrder: sum(verdicts.map(({ outOfOrder }) => outOfOrder)),
      double: sum(verdicts.map(({ double, repeated }) => double + repeated)),
      mostDouble: Math.max(...verdicts.map(({ mostDouble }) => mostDouble)),
    }
  })
  return rows
}
