import { spawnSync } from 'node:child_process'
import { Buffer } from 'node:buffer'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { append, inTurn } from '../../src/outlets/append.js'
import { deferred } from '../helpers/nodes.js'

t.test('works on one file take turns, whether or not the one before failed', async (t) => {
  const steps: string[] = []
  const gate = deferred()
  const first = inTurn('/a', async () => {
    steps.push('first starts')
    await gate.promise
    steps.push('first ends')
    throw new Error('broken')
  })
  const second = inTurn('/a', async () => {
    steps.push('second')
    return 2
  })
  await inTurn('/b', async () => steps.push('other file'))
  t.same(steps, ['first starts', 'other file'])
  gate.resolve()
  await t.rejects(first, { message: 'broken' })
  t.equal(await second, 2)
  t.same(steps, ['first starts', 'other file', 'first ends', 'second'])
})

t.test('bytes are appended, or replace what is there; folders are made', async (t) => {
  const file = `${t.testdir()}/new/folder/file`
  await append('X', file, Buffer.from('one\n'), false)
  await append('X', file, Buffer.from('two\n'), false)
  t.equal(readFileSync(file, 'utf8'), 'one\ntwo\n')
  await append('X', file, Buffer.from('three\n'), true)
  t.equal(readFileSync(file, 'utf8'), 'three\n')
})

t.test('a link that was put in the place of a real path is not followed', async (t) => {
  const folder = t.testdir({ link: t.fixture('symlink', 'elsewhere') })
  await t.rejects(append('X', `${folder}/link`, Buffer.from('x'), false), { code: 'DATABAY_FILE', message: /ELOOP/ })
  t.notOk(existsSync(`${folder}/elsewhere`))
})

t.test('after a failed write no half line is left', async (t) => {
  // the kernel then refuses what goes beyond a size, after it took what fits: as on a full disk
  const limit = (size: string) => spawnSync('prlimit', [`--pid=${process.pid}`, `--fsize=${size}:`]).status
  if (limit('unlimited') !== 0) {
    t.pass('needs prlimit', { skip: true })
    return
  }
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  const file = `${t.testdir({ text: 'good line\n' })}/text`
  try {
    limit('100')
    const expected = {
      code: 'DATABAY_FILE',
      path: file,
      message: `X: cannot write to ${file}: EFBIG`,
      cause: { code: 'EFBIG' },
    }
    await t.rejects(append('X', file, Buffer.from(`${'x'.repeat(200)}\n`), false), expected)
    t.equal(readFileSync(file, 'utf8'), 'good line\n')
    await append('X', file, Buffer.from('another\n'), false)
  } finally {
    limit('unlimited')
    process.off('SIGXFSZ', ignore)
  }
  t.equal(readFileSync(file, 'utf8'), 'good line\nanother\n')
})

t.test('an error says so when what was written cannot be cut off again', async (t) => {
  if (!existsSync('/dev/full')) {
    t.pass('needs /dev/full', { skip: true })
    return
  }
  await t.rejects(append('X', '/dev/full', Buffer.from('x'), false), {
    code: 'DATABAY_FILE',
    message: /^X: cannot write to \/dev\/full: ENOSPC.*cannot be cut off again: EINVAL/,
  })
})
