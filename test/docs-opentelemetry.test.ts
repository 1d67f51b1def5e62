/** Runs the programs of docs/opentelemetry.md. */
import t from 'tap'
import { Page } from './helpers/pages.js'
import { node, programsOf, write } from './helpers/programs.js'
import { serve } from './helpers/servers.js'
import { userProject } from './helpers/user-project.js'

t.test('the service gives the spans and metrics that the page shows', async (t) => {
  const { text } = new Page('docs/opentelemetry.md')
  const scoped = ['api', 'sdk-metrics', 'sdk-trace-node', 'instrumentation', 'instrumentation-undici']
  const folder = userProject(
    t,
    scoped.map((name) => `@opentelemetry/${name}`),
    [],
  )
  write(folder, programsOf(text))
  const { url } = await serve(t, (_, response) => {
    response.setHeader('content-type', 'application/json').end('[{"n":1},{"n":2},{"n":3}]')
  })
  const { code, stdout, stderr } = await node(folder, ['service.js'], { NUMBERS_URL: `${url}/numbers` })
  t.same([code, stderr], [0, ''])
  const [, spans = '', metrics = ''] =
    /```text\n(transfer .*?)```.*?```text\n(databay\.transfers .*?)```/s.exec(text) ?? []
  const given = (pattern: RegExp) => [...stdout.matchAll(pattern)].map(([, name]) => name)
  const shown = spans
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/)[0])
  t.same(given(/^ {2}name: '(.*)'/gm).sort(), [...shown].sort())
  const named = metrics
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[0])
  t.same(given(/^ {4}name: '(databay\..*)'/gm), [...new Set(named)])
  for (const [, attribute = ''] of spans.matchAll(/([a-z._]+): /g)) t.match(stdout, `'${attribute}':`)
})
