/**
 * `npm run test:delivery:nodes [-- 24 /opt/node-26/bin/node]`: runs the tests of delivery and of the store on several Nodes, by
 * their paths or versions, and hands stores on between them. Without arguments, those of NODES. Versions come from npm.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'

const NODES = ['22', '24', '26']
const FOLDERS = ['test/delivery', 'test/store']
const root = path.join(import.meta.dirname, '../..')

/** Path of a Node, by its path or version. */
function pathOf(name) {
  if (existsSync(name)) return path.resolve(name)
  const print = 'process.stdout.write(process.execPath)'
  return execFileSync('npx', ['-y', '-p', `node@${name}`, 'node', '-e', print], { encoding: 'utf8' }).trim()
}

const asked = process.argv.slice(2)
const nodes = (asked.length > 0 ? asked : NODES).map(pathOf)
const files = FOLDERS.flatMap((folder) =>
  readdirSync(path.join(root, folder)).flatMap((name) => (name.endsWith('.test.ts') ? path.join(folder, name) : [])),
)
let failed = 0
for (const node of nodes) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const others = [process.execPath, ...nodes].filter((other) => other !== node)
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(
    node,
    ['node_modules/.bin/tap', 'run', '--disable-coverage', '--reporter=tap', '--jobs=2', ...files],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, TEST_NODES: others.join(':') } },
  )
  const [, totals = 'no totals'] = /^# \{ (total: .*) \}$/m.exec(stdout) ?? []
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${version.padEnd(10)} ${status === 0 ? 'ok    ' : 'FAILED'} ${totals}, ${seconds} s`)
  if (status === 0) continue
  failed++
  const lines = stdout.split('\n')
  for (const [at, line] of lines.entries()) if (/^ +not ok/.test(line)) console.log(lines.slice(at, at + 15).join('\n'))
  console.log(stderr.split('\n').slice(-20).join('\n'))
}
process.exitCode = failed > 0 ? 1 : 0
