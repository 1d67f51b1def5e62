import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { rowMaker } from '../../../src/connectors/csv/row-maker.js'

const run = promisify(execFile)

t.test('a header of very many columns makes rows, too', async (t) => {
  const names = ['__proto__', ...Array.from({ length: 600 }, (_, index) => `c${index}`)]
  const row = rowMaker(names)(names.map((name) => name.toUpperCase()))
  t.equal(Object.getPrototypeOf(row), Object.prototype)
  t.same(
    Object.entries(row),
    names.map((name) => [name, name.toUpperCase()]),
  )
})

t.test('rows are made where Node is told not to compile texts', async (t) => {
  const maker = new URL('../../../src/connectors/csv/row-maker.ts', import.meta.url)
  const loader = new URL('../../loader/register.js', import.meta.url)
  const program = `
    import { rowMaker } from ${JSON.stringify(maker.href)}
    let forbidden = false
    try { new Function('') } catch { forbidden = true }
    const make = rowMaker(['a', '__proto__', '1'])
    console.log(JSON.stringify([forbidden, Object.entries(make(['x', 'y', 'z'])), Object.entries(make(['u', 'v', null]))]))
  `
  const flags = ['--disallow-code-generation-from-strings', '--import', loader.href, '--input-type=module']
  const { stdout } = await run(process.execPath, [...flags, '-e', program])
  const entries = (a: unknown, proto: unknown, one: unknown) => [
    ['1', one],
    ['a', a],
    ['__proto__', proto],
  ]
  t.same(JSON.parse(stdout), [true, entries('x', 'y', 'z'), entries('u', 'v', null)])
})
