import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'

/** User as whom PostgreSQL runs: it refuses to run as root. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** Folder with the programs `initdb` and `postgres` of the newest PostgreSQL here, if there is one. */
export function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian) : []
  const newest = versions.sort((a, b) => Number(b) - Number(a)).map((version) => path.join(debian, version, 'bin'))
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), ...newest]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(path.join(folder, name))))
}

/** User as whom the server has to run; gives `undefined` where that is the user who runs the tests. */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (name: string, flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim()
  const name = ['postgres', 'nobody'].find((name) => id(name, '-u') !== '')
  if (name === undefined) throw new Error('no user postgres or nobody to run PostgreSQL as')
  return { uid: Number(id(name, '-u')), gid: Number(id(name, '-g')) }
}

const INITDB = ['--username=postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C', '--wal-segsize=1']

/** The superuser needs no password; all others do. */
const LOGINS = `host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
`

/** Settings of a server that lives as long as a test: it may lose data with the machine, but not with a process. */
const SETTINGS = `listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
autovacuum = off
shared_buffers = 16MB
max_connections = 60
timezone = 'UTC'
password_encryption = 'scram-sha-256'
`

/** Gives the data folder that servers start from, as a copy: `initdb` makes it once for a version. */
export function dataTemplate(programs: string, user: ServerUser | undefined): string {
  const version = spawnSync(path.join(programs, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout
  const hash = createHash('sha256').update(JSON.stringify([version, user, INITDB, LOGINS, SETTINGS]))
  const template = path.join(cacheFolder(user), hash.digest('hex').slice(0, 16))
  if (existsSync(template)) {
    if (existsSync(path.join(template, 'global/pg_control'))) return template
    // a cleaner of temporary folders has taken a part of it
    rmSync(template, { recursive: true, force: true })
  }
  const made = `${template}.${process.pid}.tmp`
  mkdirSync(made, { mode: 0o700 })
  try {
    if (user !== undefined) chownSync(made, user.uid, user.gid)
    run(path.join(programs, 'initdb'), [...INITDB, '--pgdata', made], user)
    writeFileSync(path.join(made, 'pg_hba.conf'), LOGINS)
    writeFileSync(path.join(made, 'postgresql.auto.conf'), SETTINGS)
    renameSync(made, template)
  } catch (error) {
    // another process may have made it meanwhile
    if (!existsSync(template)) throw error
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
  return template
}

/** Runs a program to its end; throws with what it said where it fails. */
export function run(command: string, args: readonly string[], user?: ServerUser): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: tmpdir(), ...user })
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`)
}

function cacheFolder(user: ServerUser | undefined): string {
  // another user cannot enter the home folder of root
  const home = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache')
  for (const parent of user === undefined ? [home, tmpdir()] : [tmpdir()]) {
    const folder = path.join(parent, `databay-postgres-${process.getuid?.() ?? 0}`)
    try {
      mkdirSync(folder, { recursive: true })
      // the other user has to get through, whatever the umask is
      if (user !== undefined) chmodSync(folder, 0o755)
      return folder
    } catch {
      // the home folder may be read-only
    }
  }
  throw new Error('there is no folder for the data of PostgreSQL')
}
