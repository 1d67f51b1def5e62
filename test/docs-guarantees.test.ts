/** Compares the page of guarantees with the tests that it names. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const sections = page.split(/^(?=### )/m).slice(1)

/** Sections that promise nothing. */
const UNTESTED = ['What threads do not protect from']

t.test('every guarantee names a test', async (t) => {
  t.ok(sections.length > 30)
  const untested = sections.filter((section) => !/^Tested in /m.test(section))
  t.same(
    untested.map((section) => /^### (.*)$/m.exec(section)?.[1]),
    UNTESTED,
  )
})

t.test('the tests that are named are there', async (t) => {
  const named = [...page.matchAll(/^Tested in `([^`]+)`: ([^]*?)\.(?=\n\n|\nTested|\n$)/gm)]
  t.ok(named.length > 35)
  for (const [, file = '', title = ''] of named) {
    const text = readFileSync(join(root, file), 'utf8')
    t.ok(text.includes(title.replaceAll(/\s*\n\s*/g, ' ')), `${file}: ${title}`)
  }
})
