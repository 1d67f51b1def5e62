import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Bench } from './bench.js'
import { compare, type Figures, type Subject, type Units } from './measure.js'

const CHILD = fileURLToPath(new URL('./children/startup.js', import.meta.url))

const FIRST = { cold: 'ms until the first transfer', warm: 'ms for the first one of a running planner' }
const MEMORY = { memory: 'MiB per thread' }
const LINKS = { adding: 'ms', heap: 'bytes of the main thread per link' }

export const MEMORY_CASE = 'memory'

export const LINKS_CASE = 'idle links'

export const startup: Bench = {
  name: 'startup',
  question: 'How long until the first transfer, and how much memory do threads and idle links take?',
  async run(settings) {
    const links = settings.smoke ? 100 : 10_000
    const threads = settings.smoke ? 1 : 4
    const cases: { readonly [name: string]: readonly Subject[] } = {
      ...Object.fromEntries(
        settings.threads.map((count) => [
          firstCase(count),
          [fresh('first', 'databay', FIRST, count, 'Piscina'), fresh('first', 'Piscina', FIRST, count)],
        ]),
      ),
      [MEMORY_CASE]: [
        fresh('memory', 'empty', MEMORY, threads, 'Worker'),
        fresh('memory', 'loaded', MEMORY, threads, 'Worker'),
        fresh('memory', 'Worker', MEMORY, threads),
      ],
      [LINKS_CASE]: [
        fresh('links', 'databay', LINKS, links, 'node-schedule'),
        fresh('links', 'node-schedule', LINKS, links),
      ],
    }
    const measured = []
    for (const [name, subjects] of Object.entries(cases)) measured.push(await compare(name, subjects, settings))
    return measured.flat()
  },
}

export function firstCase(threads: number): string {
  return `first transfer, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
}

/** Subject whose samples are taken in processes of their own, which have done nothing before. */
function fresh(kind: string, name: string, units: Units, count: number, peer?: string): Subject {
  return {
    name,
    units,
    peers: peer === undefined ? [] : [peer],
    open: () => ({
      async sample() {
        const args = ['--expose-gc', CHILD, kind, name, `${count}`]
        const { stdout } = await promisify(execFile)(process.execPath, args)
        return JSON.parse(stdout) as Figures
      },
    }),
  }
}
