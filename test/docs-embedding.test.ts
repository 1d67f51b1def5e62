/** Runs the programs of docs/embedding.md. */
import { build } from 'esbuild'
import t from 'tap'
import { databay, node, programsOf, write } from './helpers/programs.js'
import { Page } from './helpers/pages.js'
import { userProject } from './helpers/user-project.js'

const { text } = new Page('docs/embedding.md')
const folder = userProject(t, ['pino', 'piscina', 'node-schedule'], [])
write(folder, programsOf(text))

t.test('the log goes through the logger of the application', async (t) => {
  const { code, stdout, stderr } = await node(folder, ['service.js'])
  t.same([code, stderr], [0, ''])
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.length, 2)
  for (const line of lines) {
    const shown = line.replace(/"time":\d+/, '"time":1795914736976')
    t.match(text.replaceAll(/"time":\d+/g, '"time":1795914736976'), shown, 'as the page shows it')
  }
})

t.test('the bundle runs', async (t) => {
  await build({
    absWorkingDir: folder,
    entryPoints: { main: 'main.js', links: 'links.js', worker: 'databay/worker' },
    outdir: 'out',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    external: /--external:.*/
      .exec(text)![0]
      .split(/\s?--external:/)
      .filter(Boolean),
    logLevel: 'error',
  })
  t.match(await node(folder, ['out/main.js']), { code: 0, stderr: '' })
})

t.test('each thread is set up', async (t) => {
  const args = ['run', 'links.js', '--thread-setup', 'thread-setup.js', '--threads', '2', '--once', '--quiet']
  const { code, stderr } = await node(folder, [databay, ...args])
  t.equal(code, 0)
  t.equal(stderr.match(/^thread \d begins$/gm)?.length, 2, stderr)
  t.equal(stderr.match(/^thread \d ends$/gm)?.length, 2, stderr)
})
