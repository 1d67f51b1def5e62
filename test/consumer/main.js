/**
 * `npm run test:consumer [-- --node PATH] [-- --only WORDS]`: packs the package, and uses it as those do who install it:
 * each case in a new folder outside of the repository. Needs npm and a registry, or npm's cache.
 */
import { mkdtempSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CASES } from './cases.js'
import { Consumer, ROOT } from './consumer.js'

const { values } = parseArgs({ options: { node: { type: 'string' }, only: { type: 'string', default: '' } } })
const node = path.resolve(values.node ?? process.execPath)
const folder = mkdtempSync(path.join(tmpdir(), 'databay-consumer-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

// the version of Node that is asked for comes first; nothing of an outer npm, tap or proxy of the tests goes along
mkdirSync(path.join(folder, 'bin'))
symlinkSync(node, path.join(folder, 'bin/node'))
const inherited = Object.entries(process.env).filter(
  ([name]) => !/^(npm_(?!config_)|NODE_|TAP|FORCE_COLOR)/i.test(name),
)
const env = {
  ...Object.fromEntries(inherited),
  PATH: `${path.join(folder, 'bin')}${path.delimiter}${process.env.PATH}`,
  NO_COLOR: '1',
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
}

const began = performance.now()
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

// as a user would: npm runs "prepack" and "prepare"
const packed = await new Consumer(ROOT, '', env).run(`npm pack --silent --pack-destination '${folder}'`)
const tarball = path.join(folder, packed.trim().split('\n').at(-1))
const version = await new Consumer(folder, tarball, env).run('node --version')
console.log(`consumers of ${path.basename(tarball)} on Node ${version.trim()}: packed in ${seconds(began)}`)

const waiting = CASES.filter(({ name }) => name.includes(values.only))
let passed = 0
let failed = 0
async function worker() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const start = performance.now()
    try {
      const name = next.name.replaceAll(/[^\w]+/g, '-')
      await next.run(new Consumer(path.join(folder, name), tarball, env))
      passed++
      console.log(`  ok       ${seconds(start).padStart(6)}  ${next.name}`)
    } catch (error) {
      failed++
      console.log(`  FAILED   ${seconds(start).padStart(6)}  ${next.name}\n${error.stack ?? error}`)
    }
  }
}
await Promise.all(Array.from({ length: Math.min(3, availableParallelism()) }, worker))
console.log(`consumers: ${passed} of ${passed + failed} held, in ${seconds(began)}`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
