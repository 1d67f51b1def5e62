/** Events whose push failed come again with a later poll. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { setLogLevel } from 'databay'
import t from 'tap'
import { COLUMNS } from '../../examples/quickstart/analysis.js'
import { toEnvironment } from '../../examples/quickstart/settings.js'
import { serve } from '../helpers/servers.js'
import { feature } from './features.js'

setLogLevel('silent')

t.test('a file that cannot be written for a while has each event in the end, once', async (t) => {
  const features = [feature('a'), feature('b', { time: 1 })]
  const { url } = await serve(t, (_, response) => {
    response.end(JSON.stringify({ type: 'FeatureCollection', features }))
  })
  const output = `${t.testdir({})}/output`
  Object.assign(process.env, toEnvironment({ feed: url, output, interval: 60, work: 0.001 }))
  const { california: link } = await import('../../examples/quickstart/links.js')
  await link.onStart()
  t.teardown(() => link.onShutdown())

  const file = `${output}/california.csv`
  mkdirSync(file, { recursive: true })
  t.match(await link.transfer(), { failed: true, outlets: [{ pushed: 0, dropped: 2 }] })
  rmdirSync(file)
  features.push(feature('c', { time: 2 }))
  for (let poll = 0; poll < 3; poll++) t.equal((await link.transfer()).failed, false)
  const [header, ...rows] = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/)
  t.equal(header, COLUMNS.join(','))
  t.same(
    rows.map((row) => row.split(',')[0]),
    ['a', 'b', 'c'],
  )
})
