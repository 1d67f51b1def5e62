import t from 'tap'
import { LinkModuleError, StartTimeoutError } from '../../../src/base/errors.js'
import { findLink, LoadedModules } from '../../../src/threads/worker/loaded-modules.js'
import { TimeLimits } from '../../../src/threads/worker/time-limits.js'
import { fixture, linkModule } from '../../helpers/threads.js'

const limits = new TimeLimits({ deadline: Infinity })

t.test('a module is loaded once, and its links are there at once from then on', async (t) => {
  const prepared: string[] = []
  const modules = new LoadedModules(limits, Infinity, async ({ name }) => void prepared.push(name))
  const { href } = linkModule({ tags: 'a' }, { tags: 'b' })
  const loading = modules.load(href)
  t.equal(modules.load(href), loading, 'whoever asks meanwhile waits for the same')
  const links = await loading
  t.equal(modules.load(href), links)
  t.same([...links.keys()], ['links[0]', 'links[1]'])
  t.same(prepared, ['a', 'b'], 'each link is prepared once')
  t.equal(await modules.loadInTime(href), links)
})

t.test('a link is found by its address, or the error names it', async (t) => {
  const { href } = fixture('modules/named.ts')
  const links = await new LoadedModules(limits, Infinity).load(href)
  t.equal(findLink(links, { module: href, exportName: 'many', index: 2 }), links.get('many[2]')?.link)
  t.equal(findLink(links, { module: href, exportName: 'one', index: undefined }), links.get('one')?.link)
  t.throws(() => findLink(links, { module: href, exportName: 'many', index: 7 }), {
    code: 'DATABAY_LINK_MODULE',
    message: `${href}: exports no link many[7] in this thread, as it did in another`,
  })
})

t.test('a module that failed to load is tried again', async (t) => {
  let fails = true
  const prepare = () => (fails ? Promise.reject(new LinkModuleError('x', 'not yet')) : Promise.resolve())
  const modules = new LoadedModules(limits, Infinity, prepare)
  const { href } = linkModule({ tags: 'again' })
  await t.rejects(async () => modules.load(href), { message: 'x: not yet' })
  fails = false
  t.equal((await modules.load(href)).size, 1)
})

t.test('a module that takes too long is an error', async (t) => {
  const modules = new LoadedModules(limits, 5, () => new Promise(() => undefined))
  const { href } = linkModule({ tags: 'slow' })
  await t.rejects(async () => modules.loadInTime(href), new StartTimeoutError(`${href}: it did not load within 5 ms`))
})

t.test('a module that waits holds up no other', async (t) => {
  const prepare = ({ name }: { readonly name: string }) =>
    name.startsWith('hangs') ? new Promise<void>(() => undefined) : Promise.resolve()
  const modules = new LoadedModules(limits, 1000, prepare)
  const hanging = ['hangs1', 'hangs2'].map(async (tags) => modules.loadInTime(linkModule({ tags }).href))
  const late = Promise.allSettled(hanging)
  let areGivenUp = false
  void Promise.race(hanging).catch(() => (areGivenUp = true))
  const loaded = await modules.loadInTime(linkModule({ tags: 'quick' }).href)
  t.equal(loaded.size, 1)
  t.notOk(areGivenUp, 'it is there before the others are given up')
  t.equal(modules.loadInTime(linkModule({ tags: 'quick' }).href), loaded, 'and then at once')
  for (const result of await late) t.match(result, { status: 'rejected', reason: { code: 'DATABAY_START_TIMEOUT' } })
})
