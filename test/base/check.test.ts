import t from 'tap'
import { checkName, checkPath, checkWord } from '../../src/base/check.js'
import { InvalidOptionError } from '../../src/base/errors.js'
import { checkNames, count, flag } from '../../src/base/options.js'

t.test('options are an object of known names', async (t) => {
  const options = { a: 1 }
  t.equal(checkNames('X', options, ['a']), options)
  t.throws(() => checkNames('X', { a: 1, b: 2 }, ['a']), { option: 'X.b', message: /one of the options a, got 'b'/ })
  for (const none of [null, [], 7]) {
    t.throws(
      () => checkNames('X', none as unknown as object, []),
      new InvalidOptionError('X.options', 'an object', none),
    )
  }
  const message = "X.options: expected an object, got 'string'"
  t.throws(() => checkNames('X', 'a secret in the wrong place' as unknown as object, []), { message })
})

t.test('what is left out has its default, and what is invalid is an error', async (t) => {
  t.equal(checkPath('X.path', 'a/b'), 'a/b')
  for (const bad of ['', 'a\0b', 7, undefined]) t.throws(() => checkPath('X.path', bad), { message: /^X.path: / })

  t.equal(flag(true).read('X.flag', undefined), true)
  t.equal(flag(true).read('X.flag', false), false)
  t.throws(() => flag(true).read('X.flag', 'no' as unknown as boolean), { message: /^X.flag: / })

  t.equal(checkWord('X.word', undefined, ['a', 'b'], 'b'), 'b')
  t.equal(checkWord('X.word', 'a', ['a', 'b'], 'b'), 'a')
  t.throws(() => checkWord('X.word', 'c', ['a', 'b'], 'b'), { message: "X.word: expected one of 'a', 'b', got 'c'" })

  t.equal(count(3).read('X.count', undefined), 3)
  t.equal(count(3).read('X.count', 1), 1)
  for (const bad of [0, 1.5, NaN, '1']) {
    t.throws(() => count(3).read('X.count', bad as number), { message: /^X.count: / })
  }
})

t.test(
  'half of a character is in no name: two names with different ones would be the same once they are written',
  async (t) => {
    t.throws(() => checkName('id', 'a\ud800'), { code: 'DATABAY_INVALID_OPTION' })
    t.equal(checkName('id', 'a\u{1f600}'), 'a\u{1f600}')
  },
)
