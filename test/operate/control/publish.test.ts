import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ControlError, PlaceTakenError } from '../../../src/operate/control/errors.js'
import { linkTo, publish, removeGone } from '../../../src/operate/control/publish.js'
import { checkSocketFolder, openSocketFolder } from '../../../src/operate/control/socket-folder.js'
import { listens } from '../../../src/operate/control/socket-path.js'
import { shortFolder } from '../../helpers/sockets.js'

function server(t: Test): Server {
  const made = createServer((socket) => socket.destroy())
  t.teardown(() => {
    made.close()
  })
  return made
}

/** Leaves a socket behind at which nobody listens, as a process does that is killed. */
async function leftBehind(path: string): Promise<void> {
  const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['-e', script, path]), 'close')
  if (!lstatSync(path).isSocket()) throw new Error('there is none')
}

t.test('only the user can connect, whatever the umask', async (t) => {
  const folder = shortFolder(t)
  const path = join(folder, 'x.sock')
  const before = process.umask(0)
  const remove = await publish(server(t), path).finally(() => process.umask(before))
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(await listens(path), 'yes')
  t.same(readdirSync(folder), ['x.sock'], 'nothing else is left')
  remove()
  t.notOk(existsSync(path))
})

t.test('a socket that a killed process left makes room', async (t) => {
  const path = join(shortFolder(t), 'x.sock')
  await leftBehind(path)
  t.equal(await listens(path), 'gone')
  await publish(server(t), path)
  t.equal(await listens(path), 'yes')
})

t.test('of several that want the place of a killed process, one gets it', async (t) => {
  const folder = shortFolder(t)
  for (let round = 0; round < 5; round++) {
    const path = join(folder, `${round}.sock`)
    await leftBehind(path)
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => publish(server(t), path)))
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) if (result.status === 'rejected') t.type(result.reason, PlaceTakenError)
    t.equal(await listens(path), 'yes')
  }
})

t.test('what is in use, or is no socket, stays as it is', async (t) => {
  const folder = shortFolder(t)
  const path = join(folder, 'x.sock')
  const remove = await publish(server(t), path)
  const { ino } = statSync(path)
  const second = server(t)
  await t.rejects(publish(second, path), new PlaceTakenError(`${path}: another process is steered by this socket`))
  t.notOk(second.listening)
  t.equal(statSync(path).ino, ino)
  await publish(second, join(folder, 'y.sock'))

  const file = join(folder, 'file')
  writeFileSync(file, 'precious')
  await t.rejects(publish(server(t), file), new PlaceTakenError(`${file}: something else is there, no socket`))
  t.equal(readFileSync(file, 'utf8'), 'precious')
  mkdirSync(join(folder, 'folder'))
  await t.rejects(publish(server(t), join(folder, 'folder')), /something else is there/)

  rmSync(path)
  await publish(server(t), path)
  remove()
  t.ok(existsSync(path), 'what came there later is not removed')
})

t.test('a path that is too long, or cannot be written, is refused', async (t) => {
  const folder = shortFolder(t)
  const long = join(folder, 'x'.repeat(120))
  await t.rejects(
    publish(server(t), long),
    /the path of a socket may have \d+ bytes, this one has \d+: name a shorter one/,
  )
  await t.rejects(
    publish(server(t), join(folder, 'none', 'x.sock')),
    /none\/x\.sock: the socket cannot be made: ENOENT/,
  )
  const fits = join(folder, 'y'.repeat(107 - folder.length - 1))
  await publish(server(t), fits)
  t.equal(await listens(fits), 'yes', 'one of the greatest length is not')
  t.equal(Buffer.byteLength(fits), 107)
})

t.test('a long path whose way from the working folder is short will do', async (t) => {
  const deep = join(shortFolder(t), 'a'.repeat(100))
  mkdirSync(deep)
  const before = process.cwd()
  process.chdir(deep)
  t.teardown(() => {
    process.chdir(before)
  })
  const path = join(process.cwd(), 'x.sock')
  const remove = await publish(server(t), path)
  t.equal(await listens(path), 'yes')
  process.chdir(before)
  remove()
  t.notOk(existsSync(path))
})

t.test('a link leads to a socket, and makes room when that is gone', async (t) => {
  const folder = shortFolder(t)
  const socket = join(folder, 'real.sock')
  const link = join(folder, '1.sock')
  const remove = await publish(server(t), socket)
  const unlink = await linkTo(socket, link)
  t.equal(await listens(link), 'yes')
  await t.rejects(linkTo(socket, link), PlaceTakenError)
  await removeGone(link)
  t.ok(existsSync(link), 'one that is in use stays')
  remove()
  await leftBehind(socket)
  const again = await linkTo(socket, link)
  unlink()
  t.ok(lstatSync(link).isSymbolicLink())
  again()
  t.notOk(lstatSync(link, { throwIfNoEntry: false }))

  await linkTo(socket, link)
  await removeGone(link)
  t.notOk(lstatSync(link, { throwIfNoEntry: false }), 'one that is gone is removed')
  symlinkSync('/in/another/container', link)
  await removeGone(link)
  t.ok(lstatSync(link).isSymbolicLink(), 'one that leads to another container is not')
})

t.test('the folder of sockets is for its user alone', async (t) => {
  const parent = shortFolder(t)
  const folder = join(parent, 'databay-1')
  t.equal(checkSocketFolder(folder), false)
  const before = process.umask(0)
  openSocketFolder(folder)
  process.umask(before)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  openSocketFolder(folder)

  chmodSync(folder, 0o770)
  t.throws(
    () => {
      openSocketFolder(folder)
    },
    new ControlError(
      `${folder}, where sockets of running processes lie, can be used by other users: its mode is 770 rather than 700`,
    ),
  )
  chmodSync(folder, 0o700)
  const link = join(parent, 'link')
  symlinkSync(folder, link)
  t.throws(() => {
    openSocketFolder(link)
  }, /is not a folder/)
  writeFileSync(join(parent, 'file'), '')
  t.throws(() => checkSocketFolder(join(parent, 'file')), /is not a folder/)
  if (process.getuid?.() !== 0) return
  chownSync(folder, 12345, 12345)
  t.throws(() => checkSocketFolder(folder), /belongs to another user/)
})
