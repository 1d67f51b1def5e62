import { setImmediate as nextTurn } from 'node:timers/promises'
import { Piscina } from 'piscina'
import type { Bench, Measurement, Settings } from './bench.js'
import { ClosedLoop } from './closed-loop.js'
import { DELAY_UNITS, withDelay } from './loop-delay.js'
import { check, compare, COST_UNITS, withCost, type Subject } from './measure.js'
import { plural } from './text.js'
import { RESULTS, WORK, type Work } from './work/computing.js'

const UNITS = { ...COST_UNITS, rate: 'transfers/s', ...DELAY_UNITS }
const LINKS = 8

export const cpu: Bench = {
  name: 'cpu',
  question: 'How fast is work that computes, and how free does it leave the main thread?',
  async run(settings) {
    const measurements: Measurement[] = []
    const kinds: Work[] = settings.smoke ? ['primes'] : ['primes', 'json', 'sha256']
    for (const work of kinds) {
      // one kind of work is enough to show that more threads than cores gain nothing
      const threads = settings.threads.filter((count) => work === 'primes' || count <= 2)
      measurements.push(...(await measure(work, { ...settings, threads })))
    }
    return measurements
  },
}

export function cpuCase(work: Work): string {
  return `${LINKS} links that compute ${work}`
}

function measure(work: Work, settings: Settings): Promise<Measurement[]> {
  const { threads } = settings
  const subjects = [
    ...threads.flatMap((count) => [
      databay(work, count, count > 1 && threads.includes(1) ? ['databay, 1 thread'] : []),
      piscina(work, count),
    ]),
    mainThread(work),
  ]
  // long enough that idle threads at the end of a sample do not matter
  return compare(cpuCase(work), subjects, { ...settings, seconds: settings.seconds * 2 })
}

/** Subject that works in a closed loop, with the delay of the main thread measured meanwhile. */
function subject(name: string, peers: readonly string[], open: () => Promise<OpenWork>): Subject {
  return {
    name,
    units: UNITS,
    peers,
    async open() {
      const work = await open()
      return {
        close: () => work.close?.(),
        sample: (seconds) =>
          withDelay(() => {
            const from = performance.now()
            return withCost(() => work.run(() => performance.now() - from >= seconds * 1000))
          }),
      }
    },
  }
}

interface OpenWork {
  /** Works until told to stop; gives the number of pieces of work that were done. */
  run(until: () => boolean): Promise<number>
  close?(): Promise<void>
}

function databay(work: Work, threads: number, peers: readonly string[]): Subject {
  const all = [...peers, `Piscina, ${plural(threads, 'thread')}`, 'main thread']
  return subject(`databay, ${plural(threads, 'thread')}`, all, async () => {
    const module = new URL(`./links/computing.js?links=${LINKS}&work=${work}`, import.meta.url)
    const loop = await ClosedLoop.start(module, { threads })
    return {
      run: (until) => loop.run(until, ({ outlets }) => check('results', outlets[0]?.pushed, 1)),
      close: () => loop.close(),
    }
  })
}

function piscina(work: Work, threads: number): Subject {
  return subject(`Piscina, ${plural(threads, 'thread')}`, [], async () => {
    const filename = new URL('./workers/computing.js', import.meta.url).href
    const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads, idleTimeout: Infinity })
    await Promise.all(Array.from({ length: threads }, () => pool.run(work)))
    return {
      async run(until) {
        let made = 0
        const one = async () => {
          do {
            check('result', await pool.run(work), RESULTS[work])
            made++
          } while (!until())
        }
        await Promise.all(Array.from({ length: LINKS }, one))
        return made
      },
      close: () => pool.destroy(),
    }
  })
}

function mainThread(work: Work): Subject {
  return subject('main thread', [], () =>
    Promise.resolve({
      async run(until) {
        let made = 0
        do {
          check('result', WORK[work](), RESULTS[work])
          made++
          await nextTurn() // as a program with other things to do would
        } while (!until())
        return made
      },
    }),
  )
}
