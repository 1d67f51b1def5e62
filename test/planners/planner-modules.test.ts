import t from 'tap'
import { divide, PlannerModules, type LinkOrModule } from '../../src/planners/planner-modules.js'
import { StubLink } from '../helpers/planners.js'

const [A, B] = ['file:///a.js', 'file:///b.js']
const link = (module: string, exportName: string, index?: number) => ({ module, exportName, index })

t.test('live links are told from modules, which are URLs in the end', async (t) => {
  const live = new StubLink('live')
  t.strictSame(divide([A, live, new URL(B), '/c.js']), { live: [live], modules: [A, B, 'file:///c.js'] })
  t.throws(() => divide([A, new URL(A)]), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^links\[1\]: expected each link module once, got/,
  })
  t.throws(() => divide(['http://localhost/links.js']), { message: /^links\[0\]: expected a path or a file: URL/ })
  t.strictSame(
    divide([{ no: 'link' } as unknown as LinkOrModule]).live.length,
    1,
    'what is neither is for others to see',
  )
})

t.test('modules are added once, and removed', async (t) => {
  const modules = new PlannerModules([A])
  t.throws(() => modules.add([B, A]), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^links: expected a link module that is not in this planner yet, got 'file:\/\/\/a.js'$/,
  })
  t.strictSame(modules.all, [A], 'none is added')
  modules.add([B])
  t.strictSame(modules.all, [A, B])
  modules.checkKnown([A, B])
  modules.remove(A)
  t.throws(() => modules.checkKnown([B, A]), { code: 'DATABAY_MISSING_LINK', message: /a\.js is not in this planner$/ })
  t.match([modules.has(A), modules.has(B)], [false, true])
  modules.all.length = 0
  t.strictSame(modules.all, [B], 'a copy')
})

t.test('a module that is joining is not there yet, and cannot be added by another call', async (t) => {
  const modules = new PlannerModules([])
  modules.join([A])
  t.notOk(modules.has(A))
  t.throws(() => modules.join([A]), { code: 'DATABAY_INVALID_OPTION' })
  modules.add([A])
  t.ok(modules.has(A))
  modules.leave([A])
  t.ok(modules.has(A))
  modules.join([B])
  modules.leave([B])
  t.strictSame(modules.all, [A])
  modules.join([B])
})

t.test('a link that was removed does not come back; its module goes with the last one', async (t) => {
  const modules = new PlannerModules([A, B])
  t.ok(modules.wants(link(A, 'links', 1)))
  t.notOk(modules.wants(link('file:///c.js', 'links')))
  modules.removeLink(link(A, 'links', 1), true)
  t.strictSame(
    [0, 1, 2].map((index) => modules.wants(link(A, 'links', index))),
    [true, false, true],
  )
  t.ok(modules.wants(link(B, 'links', 1)), 'that of another module')
  modules.removeLink(link(A, 'links', 0), false)
  t.strictSame(modules.all, [B])
  modules.removeLink(link(A, 'links', 2), true)
  modules.add([A])
  t.ok(modules.wants(link(A, 'links', 1)), 'a module that comes back comes with all its links')
  t.ok(modules.wants(link(A, 'links', 2)))
})
