import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { dependencyOn } from '../../../src/cli/create/dependency.js'
import { command, MAIN, MEASURED, RunningCommand } from '../../helpers/command.js'

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

const root = path.resolve(import.meta.dirname, '../../..')

interface Manifest {
  readonly name: string
  readonly scripts: { readonly start: string; readonly test: string }
  readonly dependencies: { readonly databay: string }
}

t.test('a project is written whose two commands work as they stand', async (t) => {
  const folder = path.join(t.testdir({}), 'My Links')
  const create = new RunningCommand(t, [process.execPath, MAIN, 'create', folder])
  t.equal(await create.ended, 0)
  t.match(create.stdout, /Next:\n {2}cd '.*My Links'\n {2}npm install\n/)
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
  t.equal(manifest.name, 'my-links')
  t.equal(manifest.dependencies.databay, `file:${root}`)

  // as npm installs it, without a registry
  const modules = path.join(folder, 'node_modules')
  mkdirSync(path.join(modules, '.bin'), { recursive: true })
  mkdirSync(path.join(modules, '@types'))
  symlinkSync(root, path.join(modules, 'databay'))
  writeFileSync(path.join(modules, '.bin/databay'), `exec '${process.execPath}' '${MAIN}' "$@"`, { mode: 0o755 })
  symlinkSync(path.join(root, 'node_modules/.bin/tsc'), path.join(modules, '.bin/tsc'))
  for (const name of ['typescript', '@types/node']) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name))
  }
  const env = { ...process.env, PATH: `${path.join(modules, '.bin')}${path.delimiter}${process.env.PATH ?? ''}` }
  const tested = spawnSync('sh', ['-c', manifest.scripts.test], { cwd: folder, encoding: 'utf8', env })
  t.equal(tested.status, 0, tested.stdout + tested.stderr)
  t.match(tested.stdout, /pass 1\b/)

  const started = spawnSync('sh', ['-c', `${manifest.scripts.start} --once`], { cwd: folder, encoding: 'utf8', env })
  t.equal(started.status, 0, started.stdout + started.stderr)
  t.match(started.stderr, /^ {2}orders +every 5 s +now, then /m)
  t.equal(
    readFileSync(path.join(folder, 'totals.csv'), 'utf8'),
    'id,item,quantity,price,total\nA1,pencil,12,0.5,6\nA2,notebook,3,2.25,6.75\nA3,lamp,1,19.9,19.9\n',
  )
})

t.test('a project in JavaScript needs no compiler', async (t) => {
  const folder = path.join(t.testdir({}), 'my-links')
  const create = command(t, `create ${folder} --js`, MEASURED)
  t.equal(await create.ended, 0)
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
  t.same(manifest.scripts, { start: 'databay run src/links.js', test: 'node --test' })
  t.same(Object.keys(manifest.dependencies), ['databay'])
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(root, path.join(folder, 'node_modules/databay'))
  const env = { ...process.env, NODE_OPTIONS: '' }
  const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env })
  const tested = run('--test', '--test-reporter=tap')
  t.equal(tested.status, 0, tested.stdout + tested.stderr)
  t.match(tested.stdout, /# pass 1\b/)
  const started = run(MAIN, 'run', '--once', 'src/links.js')
  t.equal(started.status, 0, started.stderr)
  t.match(readFileSync(path.join(folder, 'totals.csv'), 'utf8'), 'A1,pencil,12,0.5,6\n')
})

t.test('a folder with files in it is left as it is', async (t) => {
  const folder = t.testdir({ 'notes.txt': 'mine' })
  const create = command(t, `create ${folder}`)
  t.equal(await create.ended, 1)
  t.match(create.stderr, /^databay: .*: expected a new or an empty folder, it has notes\.txt in it\n$/)
  t.notOk(existsSync(path.join(folder, 'package.json')))
})

t.test('the project depends on the databay that wrote it', async (t) => {
  const folder = t.testdir({ node_modules: { databay: {} }, 'databay-1.2.3.tgz': '' })
  const installed = { root: path.join(folder, 'node_modules/databay'), version: '1.2.3' }
  const resolvedTo = (resolved: string) => {
    const lock = { packages: { 'node_modules/databay': { resolved } } }
    writeFileSync(path.join(folder, 'node_modules/.package-lock.json'), JSON.stringify(lock))
    return dependencyOn(installed)
  }
  t.equal(dependencyOn(installed), `file:${installed.root}`, 'not installed by npm')
  t.equal(resolvedTo('https://packages.test/databay/-/databay-1.2.3.tgz'), '^1.2.3')
  t.equal(resolvedTo('https://some.test/databay-1.2.3.tgz'), 'https://some.test/databay-1.2.3.tgz')
  t.equal(resolvedTo('git+ssh://git@some.test/databay.git#abc'), 'git+ssh://git@some.test/databay.git#abc')
  t.equal(resolvedTo('file:databay-1.2.3.tgz'), `file:${path.join(folder, 'databay-1.2.3.tgz')}`)
  t.equal(resolvedTo('file:gone.tgz'), `file:${installed.root}`, 'a tarball that is gone')
  t.equal(dependencyOn({ root: folder, version: '1.2.3' }), `file:${folder}`, 'a clone')
})
