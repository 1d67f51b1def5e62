import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { captureLogs } from '../../helpers/logs.js'
import { lintMetrics, valueOf } from '../../helpers/prometheus.js'
import { until, workerPlanner } from '../../helpers/threads.js'

t.test('a thread that is lost shows, and a module that does not load any more is not ready', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({
    'links.mjs': `
      import { existsSync } from 'node:fs'
      import { Link, NullInlet, NullOutlet } from 'databay'
      if (existsSync(new URL('broken', import.meta.url))) throw new Error('password=hunter2')
      class Dies extends NullInlet {
        pull() { process.exit(3) }
      }
      export const dies = new Link({ inlets: new Dies(), outlets: new NullOutlet(), interval: 3600 })`,
  })
  const links = pathToFileURL(path.join(folder, 'links.mjs'))
  const planner = workerPlanner(t, links, { threads: 1, http: 0, ignoreExceptions: true })
  await planner.start()
  const get = async (page: string) => {
    const response = await fetch(`${planner.http?.url}${page}`)
    return { status: response.status, text: await response.text() }
  }
  t.match(await get('/readyz'), { status: 200, text: 'ready\n' })
  writeFileSync(path.join(folder, 'broken'), '')
  await planner.forceTransfer()
  await until(() => planner.unstarted.length > 0)
  t.match(await get('/readyz'), { status: 503, text: 'not ready: modules cannot be loaded, of dies\n' })
  t.match(await get('/healthz'), { status: 200 })
  const { text } = await get('/metrics')
  t.strictSame(lintMetrics(text), [])
  t.equal(valueOf(text, 'databay_threads_lost_total'), 1)
  t.equal(valueOf(text, 'databay_link_unstarted', { link: 'dies' }), 1)
  t.equal(valueOf(text, 'databay_transfers_failed_total', { link: 'dies' }), 1)
  t.notMatch(text, 'hunter2')
})

t.test('a process ends by itself although metrics are served, also while a client is connected', async (t) => {
  const program = `
    import { connect } from 'node:net'
    import { Link, NullInlet, NullOutlet, SchedulePlanner } from 'databay'
    const link = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 1 })
    const planner = new SchedulePlanner(link, { http: 0, transfers: 1, immediateTransfer: false })
    await planner.start()
    connect(planner.http.port, '127.0.0.1').unref()
    await planner.finished
    console.log('ended')`
  const folder = t.testdir({ 'main.mjs': program })
  const { NODE_OPTIONS: _options, ...env } = process.env
  const ended = spawnSync(process.execPath, [path.join(folder, 'main.mjs')], { env, encoding: 'utf8', timeout: 20_000 })
  t.match(ended, { status: 0, stdout: 'ended\n' })
})
