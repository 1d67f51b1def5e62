import { register } from 'node:module'
import t from 'tap'
import { MissingDependencyError } from '../../src/base/errors.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { MongoOutlet } from '../../src/connectors/mongodb/mongo-outlet.js'
import { loadOptional } from '../../src/base/optional-packages.js'

// neither package can be found in this process
const hooks = `export const resolve = (specifier, context, next) => {
  if (!['undici', 'mongodb'].includes(specifier)) return next(specifier, context)
  throw Object.assign(new Error("Cannot find package '" + specifier + "'"), { code: 'ERR_MODULE_NOT_FOUND' })
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)

t.test('a connector whose package is missing says what to install, and only when it is used', async (t) => {
  const inlet = new HttpInlet('http://some.test')
  await t.rejects(inlet.onStart(), MissingDependencyError)
  await t.rejects(inlet.onStart(), {
    code: 'DATABAY_MISSING_DEPENDENCY',
    message: /^HttpInlet needs the package undici.*: npm install undici@\^7\.20\.0 /,
    cause: { message: /Cannot find package/ },
  })
  await inlet.onShutdown()
})

t.test('so does one that needs mongodb', async (t) => {
  await t.rejects(new MongoOutlet({ collection: 'some' }).onStart(), {
    code: 'DATABAY_MISSING_DEPENDENCY',
    message: /^MongoOutlet needs the package mongodb.*: npm install mongodb@\^7 /,
  })
})

t.test('a connector states its package, and gets it', async (t) => {
  const found = { name: 'some-driver', range: '^1.2', load: () => Promise.resolve({ connect: true }) }
  t.same(await loadOptional(found, 'MyOutlet'), { connect: true })
  const cause = new Error('no such package')
  await t.rejects(loadOptional({ ...found, load: () => Promise.reject(cause) }, 'MyOutlet'), {
    code: 'DATABAY_MISSING_DEPENDENCY',
    message:
      'MyOutlet needs the package some-driver, which cannot be loaded: npm install some-driver@^1.2 (no such package)',
    cause,
  })
})
