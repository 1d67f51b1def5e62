/** Runs the programs of docs/metrics.md, and compares what it says of metrics with those that there are. */
import t from 'tap'
import { parse } from 'yaml'

import { Link, NullOutlet, RandomIntInlet, SchedulePlanner, WorkerPlanner } from '../src/index.js'
import { linkModule } from './helpers/threads.js'
import { testPage } from './helpers/pages.js'
import { parseMetrics } from './helpers/prometheus.js'

/** Names of the metrics of a planner with threads, and those that only some links have. */
async function namesOfMetrics(): Promise<string[]> {
  const planner = new WorkerPlanner(linkModule({ tags: 'one' }), { threads: 1, immediateTransfer: false, http: 0 })
  await planner.start()
  await planner.forceTransfer()
  const text = await (await fetch(`${planner.http?.url}/metrics`)).text()
  await planner.shutdown()
  return [...parseMetrics(text).map(({ name }) => name), 'databay_dead_letters_total', 'databay_records_waiting']
}

testPage(t, 'docs/metrics.md', async (t, page) => {
  const names = await namesOfMetrics()

  t.test('all metrics are named, and those that are named are there', async (t) => {
    const said = new Set(
      [...page.text.matchAll(/\b((?:databay|process|nodejs)_\w+)/g)]
        .map(([, name = '']) => name.replace(/_(bucket|sum|count)$/, ''))
        .filter((name) => name !== 'databay_'),
    )
    t.same([...said].filter((name) => !names.includes(name)).sort(), [])
    t.same(names.filter((name) => !said.has(name)).sort(), [])
  })

  t.test('configuration and rules are YAML, and the expressions are of metrics', async (t) => {
    const [config, rules] = page.blocks
      .filter(({ language }) => language === 'yaml')
      .map(({ code }) => parse(code) as never)
    t.match(config, { scrape_configs: [{ job_name: 'databay', static_configs: [{ targets: ['127.0.0.1:9464'] }] }] })
    const { groups } = rules as unknown as { groups: { rules: { alert: string; expr: string }[] }[] }
    const all = groups.flatMap((group) => group.rules)
    t.ok(all.length > 5)
    t.equal(new Set(all.map(({ alert }) => alert)).size, all.length)
    for (const { expr } of all) {
      t.match(expr, /\b(databay_\w+|up)\b/)
      for (const open of ['()', '[]', '{}']) {
        t.equal(expr.split(open[0] ?? '').length, expr.split(open[1] ?? '').length, `${expr}: ${open}`)
      }
    }
  })

  t.test('the program shows what the page says', async (t) => {
    const { stdout, stderr, code } = await page.run(page.folder(t), 'node main.js')
    t.equal(code, 0, stderr)
    t.equal(stdout.trim(), '200 ready')
  })

  t.test('the subscriber hears of transfers', async (t) => {
    const lines: string[] = []
    const { log } = console
    console.log = (line: string) => lines.push(line)
    t.teardown(() => (console.log = log))
    await page.load(page.folder(t), 'watch.js')
    page.hasRun('watch.ts')
    const link = new Link({ inlets: new RandomIntInlet(), outlets: new NullOutlet(), interval: 60, id: 'numbers' })
    const planner = new SchedulePlanner(link, { transfers: 1 })
    await planner.start()
    await planner.finished
    t.match(lines, [/^numbers took \d+ ms, 0 errors$/])
  })
})
