import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EnvironmentError } from '../../src/base/errors.js'
import { env, secret } from '../../src/config/index.js'
import { captureLogs } from '../helpers/logs.js'

/** Sets variables of the environment until the test ends. */
function setEnvironment(t: Test, variables: { readonly [name: string]: string }): void {
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name)
  })
}

t.test('env gives the value of a variable, or the default', async (t) => {
  setEnvironment(t, { API_URL: 'https://example.com', EMPTY: '' })
  t.equal(env('API_URL'), 'https://example.com')
  t.equal(env('API_URL', 'other'), 'https://example.com')
  t.equal(env('EMPTY', 'other'), '', 'an empty one is set')
  t.equal(env('MISSING', 'other'), 'other')
})

t.test('a missing variable is an error with its name, and the place that asks for it', async (t) => {
  setEnvironment(t, { API_URL: 'https://example.com' })
  const error = t.throws(() => env('APP_URL')) as EnvironmentError
  t.ok(error instanceof EnvironmentError)
  t.match(error, { code: 'DATABAY_ENVIRONMENT', variable: 'APP_URL' })
  t.match(error.place, /^(file:)?\/.*environment\.test\.ts:\d+:\d+$/)
  t.equal(error.message, `APP_URL is not set: did you mean API_URL? (${error.place})`)
})

t.test('secret reads a variable', async (t) => {
  setEnvironment(t, { API_TOKEN: 'the-token\n' })
  t.equal(secret('API_TOKEN').reveal(), 'the-token\n')
  t.equal(secret.text`Bearer ${secret('API_TOKEN')}`.reveal(), 'Bearer the-token\n')
  t.equal(secret.url`https://a/?t=${secret('API_TOKEN')}`.reveal(), 'https://a/?t=the-token%0A')
})

t.test('secret reads the file that a variable names, without its line end', async (t) => {
  const folder = t.testdir({ unix: 'the-token\n', dos: 'the-token\r\n', two: 'the-token\n\n', bare: 'the-token' })
  for (const [name, value] of Object.entries({
    unix: 'the-token',
    dos: 'the-token',
    two: 'the-token\n',
    bare: 'the-token',
  })) {
    setEnvironment(t, { TOKEN_FILE: join(folder, name) })
    t.equal(secret('TOKEN').reveal(), value, name)
  }
  setEnvironment(t, { TOKEN: '' })
  t.equal(secret('TOKEN').reveal(), 'the-token', 'an empty variable is none, as compose files set them')
})

t.test('secret reads a credential of systemd', async (t) => {
  const folder = t.testdir({ 'db-password': 'the-password\n' })
  setEnvironment(t, { CREDENTIALS_DIRECTORY: folder })
  t.equal(secret('db-password').reveal(), 'the-password')
  t.throws(() => secret('OTHER'), {
    message: `OTHER is not set, nor is OTHER_FILE, and there is no credential ${folder}/OTHER`,
  })
})

t.test('what cannot be read is an error that says what was looked for', async (t) => {
  const folder = t.testdir({ empty: '\n', folder: {}, large: 'x'.repeat(1_048_577) })
  const cases: [string, RegExp][] = [
    [
      'missing',
      /^TOKEN is in \/.*missing, as TOKEN_FILE says, which cannot be read: ENOENT.* \((file:)?\/.*:\d+:\d+\)$/,
    ],
    ['folder', /which cannot be read: it is no file/],
    ['large', /which cannot be read: it has more than 1048576 bytes/],
    ['empty', /^TOKEN is in \/.*empty, which is empty/],
  ]
  for (const [name, message] of cases) {
    setEnvironment(t, { TOKEN_FILE: join(folder, name) })
    t.throws(() => secret('TOKEN'), { code: 'DATABAY_ENVIRONMENT', message })
  }
  setEnvironment(t, { TOKEN: 'the-token' })
  t.throws(() => secret('TOKEN'), { message: /^TOKEN and TOKEN_FILE are both set: unset one of them \(/ })
  t.throws(() => secret('NOTHING'), {
    message: /^NOTHING is not set, nor is NOTHING_FILE \((file:)?\/.*environment.test.ts:/,
  })
})

t.test('a value in the place of the name is not shown', async (t) => {
  setEnvironment(t, { API_TOKEN: 'abc123' })
  t.throws(() => secret('abc123'), { message: /got 'the value of API_TOKEN'$/ })
  t.throws(() => secret('sk-abc/123 456'), { message: /got 'another text \(not shown\)'$/ })
  t.throws(() => env(undefined as unknown as string), {
    message: /^env: expected the name of a variable.*, got undefined$/,
  })
  t.throws(() => env('X', 5 as unknown as string), {
    message: /^env\('X'\): expected a default that is a string, got 5$/,
  })
})

t.test('a secret that is too short to be hidden is warned of', async (t) => {
  const { messages } = captureLogs(t)
  setEnvironment(t, { PIN: '123' })
  t.equal(secret('PIN').reveal(), '123')
  t.match(messages(), [/^PIN is so short that errors and logs may show it/])
})

t.test('a folder is no file of a secret', async (t) => {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'TOKEN'))
  writeFileSync(join(folder, 'OTHER'), 'other-value')
  setEnvironment(t, { CREDENTIALS_DIRECTORY: folder })
  t.throws(() => secret('TOKEN'), {
    message: /^TOKEN is the credential \/.*TOKEN, which cannot be read: it is no file/,
  })
  t.equal(secret('OTHER').reveal(), 'other-value')
})
