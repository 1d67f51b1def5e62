import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Run, SLACK, type LinkSpec } from './harness.js'
import { expect, expectNothingWrong, type Outcome, type Scenario } from './scenario.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

/** Scenario: a link never starts. The planner says so in time, and is as if it had not been started. */
export function hangInStart(name: string): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      const faulty: LinkSpec = { name: 'faulty', fault: { kind: 'hang', place: 'onStart', at: 0 } }
      // links of a loaded machine take long to load, too
      const limit = Math.min(SLACK, 5)
      const run = new Run([{ name: 'other' }, faulty], { startTimeout: limit, shutdownTimeout: 2 * limit })
      try {
        const started = Date.now()
        const error = await run.planner.start().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        const took = Date.now() - started
        expect(
          String(error).includes(`faulty did not start within ${1000 * limit} ms`),
          `start() says which link: ${String(error)}`,
        )
        expect(took < 4000 * SLACK, `within its time: it took ${took} ms`)
        expect(!run.planner.running && !threadPoolOf(run.planner).running, 'the planner and its threads are stopped')
        return { held: `start() rejected after ${took} ms, naming the link` }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** Scenario: a link never shuts down. The others do, and the planner ends in time and says what it abandoned. */
export function hangInShutdown(name: string, kind: 'hang' | 'loop'): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      const faulty: LinkSpec = { name: 'faulty', fault: { kind, place: 'onShutdown', at: 0 } }
      const run = new Run([{ name: 'other', buffer: 1000 }, faulty], { shutdownTimeout: 2 * Math.min(SLACK, 2) })
      try {
        await run.planner.start()
        await run.until(() => run.reportsOf('other').length >= 3)
        const started = Date.now()
        const error = await run.planner.shutdown().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        const took = Date.now() - started
        expect(String(error).includes('faulty'), `shutdown() says which link: ${String(error)}`)
        expect(took < 4000 * SLACK, `within its time: it took ${took} ms`)
        expectNothingWrong(run.judge())
        expect(run.journalOf('other').length > 0, 'the buffer of the other link was flushed')
        return { held: `shutdown() rejected after ${took} ms, naming the link; buffers were flushed` }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** End of a process that was told to end, with the lines that it printed. */
interface Told {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly lines: readonly string[]
  readonly took: number
}

/**
 * Starts a planner with two busy threads and full buffers in a process of its own, and tells the process to end.
 *
 * @param apart - time between two signals, in milliseconds
 */
async function endProcess(mode: 'patient' | 'stuck', signals: number, apart = 0): Promise<Told> {
  // for its journals, which it has no time to remove
  const folder = mkdtempSync(path.join(tmpdir(), 'faults-'))
  const env = { ...process.env, TMPDIR: folder }
  const child = spawn(process.execPath, [fileURLToPath(new URL('ending.js', import.meta.url)), mode], { env })
  let text = ''
  let sent = 0
  let since = 0
  child.stdout.on('data', (chunk) => {
    text += String(chunk)
    if (sent === 0 && text.includes('busy\n')) {
      since = Date.now()
      for (; sent < signals; sent++) setTimeout(() => child.kill('SIGTERM'), sent * apart)
    }
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  rmSync(folder, { recursive: true })
  return { code, signal, lines: text.trimEnd().split('\n'), took: Date.now() - since }
}

/** Scenario: SIGTERM while both threads compute and all buffers are full. Everything comes out, then the process ends by the signal. */
export const terminated: Scenario = {
  name: 'SIGTERM with two busy threads and full buffers',
  async run() {
    const { signal, lines, took } = await endProcess('patient', 1)
    expect(signal === 'SIGTERM', `the process ends by the signal, not by ${String(signal)}`)
    expect(lines.at(-1) === 'right', `nothing is lost or twice: ${lines.at(-1) ?? ''}`)
    return { held: `ended by the signal after ${took} ms, buffers flushed`, recovery: took }
  },
}

/** Scenario: two SIGTERMs in a moment, as a supervisor sends them that signals a group, are one. */
export const terminatedAgain: Scenario = {
  name: 'two SIGTERMs in a moment',
  async run() {
    const { signal, lines, took } = await endProcess('patient', 2, 50)
    expect(signal === 'SIGTERM', `the process ends by the signal, not by ${String(signal)}`)
    expect(lines.at(-1) === 'right', `nothing is lost or twice: ${lines.at(-1) ?? ''}`)
    return { held: `taken for one: ended after ${took} ms, buffers flushed`, recovery: took }
  },
}

/** Scenario: a second SIGTERM, more than a second after the first, ends the process at once, whatever hangs. */
export const terminatedTwice: Scenario = {
  name: 'second SIGTERM',
  async run() {
    const { signal, took } = await endProcess('stuck', 2, 1200)
    expect(signal === 'SIGTERM', `the process ends by the signal, not by ${String(signal)}`)
    expect(took < 3000 * SLACK, `at once: it took ${took} ms`)
    return { held: `a shutdown that hangs was ended after ${took} ms` }
  },
}
