import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { firstLine } from './children.js'

const start = (program: string) => spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })

t.test('the first line of a program', async (t) => {
  t.equal(await firstLine(start(`console.error('so'); console.log('one'); console.log('two')`)), 'one')
})

t.test('a program that ends before it prints a line fails at once, with what it said', async (t) => {
  await t.rejects(firstLine(start(`console.error('no such driver'); process.exit(1)`)), {
    message: /ended before it printed a line: no such driver$/,
  })
})

t.test('a program that prints no line in time is given up, with what it said', async (t) => {
  const child = start(`console.error('waiting'); setInterval(() => {}, 1000)`)
  t.teardown(() => child.kill())
  await once(child.stderr, 'readable')
  await t.rejects(firstLine(child, 500), { message: /printed no line within 500 ms: waiting$/ })
})
