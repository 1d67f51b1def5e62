import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const program = fileURLToPath(new URL('server-counts.js', import.meta.url))

/** Runs the count over test files, each with its code and its results. */
function counted(t: Test, files: { readonly [name: string]: readonly [code: string, results: string] }): string[] {
  const folder = t.testdir({})
  for (const [name, [code, results]] of Object.entries(files)) {
    for (const [file, text] of [
      [`${folder}/tests/${name}`, code],
      [`${folder}/results/${name}.tap`, results],
    ] as const) {
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }
  const args = [program, `${folder}/results`, `${folder}/tests`]
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trimEnd().split('\n')
}

t.test('each system has a line, with the tests of its folder and those that name it', async (t) => {
  const lines = counted(t, {
    'connectors/postgres/a.test.ts': [
      `import '../../helpers/postgres.js'`,
      '    ok 1 - an assertion\nok 1 - rows are stored # time=3ms\nok 2 - rows are read # time=3ms\n',
    ],
    'connectors/postgres/options.test.ts': ['no server', 'ok 1 - an option # time=3ms\n'],
    'connectors/s3/a.test.ts': [`import '../../helpers/s3.js'`, 'ok 1 - objects # time=3ms\n'],
    'planners/a.test.ts': [
      `import '../helpers/postgres.js'; import '../helpers/mongo.js'`,
      'ok 1 - PostgresInlet in a thread # time=3ms\nok 2 - MongoInlet in a thread # time=3ms\nok 3 - more # time=3ms\n',
    ],
  })
  t.strictSame(lines, [
    'MongoDB: 1 tests run, 0 skipped',
    'PostgreSQL: 3 tests run, 0 skipped',
    'S3: 1 tests run, 0 skipped',
  ])
})

t.test('tests that were skipped as there is no server are counted, with what to do about it', async (t) => {
  const lines = counted(t, {
    'connectors/postgres/a.test.ts': [
      `import '../../helpers/postgres.js'`,
      'ok 1 - rows # SKIP no PostgreSQL: set it\n    ok 2 - more # SKIP no PostgreSQL: set it\nok 3 - root # SKIP no root\n',
    ],
    'connectors/s3/a.test.ts': [`import '../../helpers/s3.js'`, 'ok 1 - objects # SKIP no S3: set it\n'],
  })
  t.strictSame(lines, [
    'MongoDB: 0 tests run, 0 skipped',
    'PostgreSQL: 0 tests run, 2 skipped: set DATABASE_URL, or install PostgreSQL',
    'S3: 0 tests run, 1 skipped: set S3_ENDPOINT, or install s3rver',
  ])
})
