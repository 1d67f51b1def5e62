import { setTimeout as delay } from 'node:timers/promises'
import { mainThreadTime } from './main-thread-cpu.js'
import type { Figures, Units } from './measure.js'
import { summary } from './statistics.js'

/** Units of the figures of anything that runs many jobs every second. */
export const TICK_UNITS: Units = {
  'runs p50': 'ms',
  'runs p99': 'ms',
  'runs max': 'ms',
  missed: 'runs',
  'main thread': '% CPU',
  process: '% CPU',
}

/** Records the runs of many jobs that are due every second, and sums them up. */
export class Ticks {
  readonly #runs: Uint32Array
  #lateness: number[] = []
  #main = 0
  #cpu = process.cpuUsage()

  /** @param jobs - number of jobs */
  constructor(jobs: number) {
    this.#runs = new Uint32Array(jobs)
  }

  /** Records a run of a job. */
  note(job: number, lateness: number): void {
    this.#runs[job] = (this.#runs[job] ?? 0) + 1
    this.#lateness.push(lateness)
  }

  /** Waits for `count` due times of each job, and half a second more, so that no run is cut off. */
  async pass(count: number): Promise<void> {
    this.#runs.fill(0)
    this.#lateness = []
    this.#main = mainThreadTime()
    this.#cpu = process.cpuUsage()
    await delay(count * 1000 + 500)
  }

  /**
   * Sums up the runs since {@link Ticks.pass}.
   *
   * @param count - number of times that each job was due at least
   */
  sum(count: number): Figures {
    const main = mainThreadTime() - this.#main
    const { user, system } = process.cpuUsage(this.#cpu)
    const missed = this.#runs.reduce((total, runs) => total + Math.max(0, count - runs), 0)
    if (this.#lateness.length === 0) throw new Error('nothing has run')
    // one due time of each job is one second of work
    const seconds = Math.max(count, this.#lateness.length / this.#runs.length)
    const { p50, p99, max } = summary(this.#lateness)
    return {
      'runs p50': p50,
      'runs p99': p99,
      'runs max': max,
      missed,
      'main thread': main / seconds / 10,
      process: (user + system) / 1000 / seconds / 10,
    }
  }
}
