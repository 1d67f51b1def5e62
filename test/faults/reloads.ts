import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Run, SLACK, type LinkSpec } from './harness.js'
import { expect, expectNothingWrong, type Outcome, type Scenario } from './scenario.js'

const LINKS: readonly LinkSpec[] = [
  { name: 'plain' },
  { name: 'held', buffer: 100_000 },
  { name: 'slow', pulls: 60 },
  { name: 'late' },
  { name: 'unstartable', fault: { kind: 'throwNull', place: 'onStart', at: 0 } },
]

/** Version of the module: names of the links that it exports, or a text in place of all that. */
interface Version {
  readonly links: readonly string[]
  readonly text?: string
}

const OLD: Version = { links: ['plain', 'held', 'slow'] }

/** Scenario: a module is replaced by another version while its links transfer. */
function reload(name: string, next: Version, check: (run: Run, error: unknown) => string): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      let write: (version: Version) => URL = () => new URL('file:///')
      const run = new Run(LINKS, {}, (folder, links) => {
        write = ({ links: names, text }) => {
          const file = path.join(folder, 'links.mjs')
          const exported = names.map((link) => `export const ${link} = links.find(({ name }) => name === '${link}')`)
          writeFileSync(file, text ?? [`import { links } from ${JSON.stringify(links.href)}`, ...exported].join('\n'))
          return pathToFileURL(file)
        }
        return write(OLD)
      })
      try {
        await run.planner.start()
        await run.until(() => run.reports.length >= 9)
        const started = Date.now()
        const module = write(next)
        const error: unknown = await run.planner.reload(module).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        const took = Date.now() - started
        const what = check(run, error)
        const since = Date.now()
        for (const { name: link } of run.planner.links) {
          await run.until(() => run.reportsOf(link).some(({ startedAt }) => startedAt > since))
        }
        await run.end()
        expect(run.lost.length === 0, 'no thread is lost')
        expect(
          run.reports.every(({ errors }) => errors.length === 0),
          'no transfer fails',
        )
        const { missed, skipped } = run.planner.counts
        expect(missed === 0 && (SLACK > 1 || skipped === 0), `none is missed or skipped: ${missed} and ${skipped} are`)
        expectNothingWrong(run.judge())
        const held = run.journalOf('held').flatMap(({ records }) => records)
        expect(
          held.length === 3 * run.reportsOf('held').filter(({ pulled }) => pulled > 0).length,
          'buffers are handed over',
        )
        return { held: `${what}, in ${took} ms` }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

const names = ({ planner }: Run) =>
  planner.links
    .map(({ name }) => name)
    .sort()
    .join()

function stays(run: Run, error: unknown, why: RegExp): string {
  expect(why.test(String(error)), `reload() says why: ${String(error)}`)
  expect(names(run) === 'held,plain,slow', `the old version runs on: ${names(run)}`)
  return 'the old version runs on'
}

export const reloads: readonly Scenario[] = [
  reload('reload under load, good version', { links: ['plain', 'held', 'late'] }, (run, error) => {
    expect(error === undefined, `it is loaded: ${String(error)}`)
    expect(names(run) === 'held,late,plain', `one link is gone and one is new: ${names(run)}`)
    return 'links added and removed'
  }),
  reload('reload under load, version that does not parse', { links: [], text: 'export const =' }, (run, error) =>
    stays(run, error, /does not parse/),
  ),
  reload(
    'reload under load, version that does not start',
    { links: ['plain', 'held', 'slow', 'unstartable'] },
    (run, error) => stays(run, error, /unstartable|null/),
  ),
]
