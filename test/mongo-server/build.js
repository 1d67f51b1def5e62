/**
 * Builds the server for the tests of MongoDB into a cache, unless it is there, and prints its path. Prints nothing when
 * another server is to be used, or there is no Go. Several processes may run this at once: one builds, the others wait.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const here = import.meta.dirname
const SOURCES = ['main.go', 'go.mod', 'go.sum']

/** Whether a command can be run. */
export function has(command, argument) {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0
}

/** Builds the server unless it is built; gives its path, or `undefined` without Go or without the modules it needs. */
export async function build(say = () => {}) {
  const target = path.join(cacheFolder(), `server-${hash()}`)
  if (existsSync(target)) return target
  if (!has('go', 'version')) return undefined
  const lock = `${target}.lock`
  while (!take(lock)) {
    await delay(200)
    if (existsSync(target)) return target
  }
  // another process may have built it while this one waited for the lock
  try {
    if (!existsSync(target)) await compile(target, lock, say)
    return target
  } catch (error) {
    say(error.message)
    return undefined
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

async function compile(target, lock, say) {
  const started = Date.now()
  say('building the server for the tests of MongoDB, once: this takes a minute or two')
  const signs = setInterval(() => {
    utimesSync(lock, new Date(), new Date()) // shows that this process still builds
    const seconds = Math.round((Date.now() - started) / 1000)
    if (seconds % 10 === 0) say(`building for ${seconds} s`)
  }, 1000)
  const made = `${target}.${process.pid}.tmp`
  try {
    const go = spawn('go', ['build', '-mod=readonly', '-trimpath', '-o', made, '.'], {
      cwd: here,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    go.stderr.setEncoding('utf8').on('data', (text) => (said += text))
    const code = await new Promise((resolve, reject) => go.on('error', reject).on('close', resolve))
    if (code !== 0) throw new Error(`go build failed: ${said}`)
    renameSync(made, target)
    say(`built in ${Math.round((Date.now() - started) / 1000)} s`)
  } finally {
    clearInterval(signs)
    rmSync(made, { force: true })
  }
}

/** Takes the lock, unless a process that still runs has it. */
function take(lock) {
  try {
    mkdirSync(lock)
    return true
  } catch {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > 15_000) rmSync(lock, { recursive: true, force: true })
    return false
  }
}

function hash() {
  const sum = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const name of SOURCES) sum.update(readFileSync(path.join(here, name)))
  return sum.digest('hex').slice(0, 16)
}

function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache')
  for (const folder of [base, tmpdir()].map((parent) => path.join(parent, 'databay-mongo'))) {
    try {
      mkdirSync(folder, { recursive: true })
      return folder
    } catch {
      // the home folder may be read-only
    }
  }
  throw new Error('there is no folder to build into')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (!process.env.MONGODB_URL && !has('mongod', '--version')) {
    const built = await build((text) => console.error(`mongo: ${text}`))
    if (built !== undefined) console.log(built)
  }
}
