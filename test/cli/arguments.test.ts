import { pathToFileURL } from 'node:url'
import t from 'tap'
import { checkCount, checkLogLevel, checkModule } from '../../src/cli/arguments.js'

t.test('a count is an integer of at least 1, in digits', async (t) => {
  t.equal(checkCount('--threads', '1'), 1)
  t.equal(checkCount('--threads', '0012'), 12)
  for (const text of ['0', '-1', '1.5', '1e3', '0x10', '', ' 1', 'two', 'Infinity', '9007199254740993']) {
    t.throws(
      () => checkCount('--threads', text),
      { code: 'DATABAY_INVALID_OPTION', message: `--threads: expected an integer of at least 1, got '${text}'` },
      text,
    )
  }
})

t.test('a log level is one of the known ones', async (t) => {
  t.equal(checkLogLevel('--log-level', 'silent'), 'silent')
  t.throws(() => checkLogLevel('--log-level', 'DEBUG'), {
    message: "--log-level: expected one of trace, debug, info, warn, error, fatal, silent, got 'DEBUG'",
  })
})

t.test('a link module is a file that exists, as a path or a file: URL', async (t) => {
  const folder = t.testdir({ 'links.mjs': '' })
  const path = `${folder}/links.mjs`
  t.equal(checkModule('<link-module>', path), pathToFileURL(path).href)
  t.equal(checkModule('<link-module>', pathToFileURL(path).href), pathToFileURL(path).href)
  t.throws(() => checkModule('<link-module>', `${folder}/none.mjs`), {
    message: /^<link-module>: expected a link module that exists, got '.*/,
  })
  t.throws(() => checkModule('<link-module>', folder), { message: /expected a link module, which is a file, got/ })
  t.throws(() => checkModule('<link-module>', 'https://some.test/links.mjs'), {
    message: /^<link-module>: expected a path/,
  })
  t.throws(() => checkModule('<link-module>', ''), {
    message: "<link-module>: expected a path or a file: URL of a link module, got ''",
  })
  t.throws(() => checkModule('<link-module>', 'a\0b'), { code: 'DATABAY_INVALID_OPTION' })
})
