import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { packOpens, unpackOpens, type OpenRequest } from '../../../src/threads/protocol/packed-opens.js'

const request = fc.record(
  {
    module: fc.constantFrom('file:///a.js', 'file:///b.js'),
    exportName: fc.constantFrom('links', 'default'),
    index: fc.option(fc.nat(), { nil: undefined }),
    id: fc.nat(),
    state: fc.constantFrom({ parts: [1] }, undefined),
    anyway: fc.boolean(),
  },
  { requiredKeys: ['module', 'exportName', 'index', 'id'], noNullPrototype: true },
)

t.test('property: requests to open links are in the thread what they were, in their order', async (t) => {
  fc.assert(
    fc.property(fc.array(request), (links) => {
      // a state comes with whether links begin without it
      const requests = links.map(({ state, anyway = false, ...rest }): OpenRequest =>
        state === undefined ? rest : { ...rest, state, anyway },
      )
      t.strictSame(unpackOpens(structuredClone(packOpens(requests))), requests)
    }),
  )
})

t.test('the names of an export go along once, whatever links are between', async (t) => {
  const open = (exportName: string, index: number) => ({ module: 'file:///a.js', exportName, index, id: index })
  const { exports, export: places } = packOpens([open('one', 0), open('two', 1), open('one', 2), open('two', 3)])
  t.match([exports.length, places], [2, [0, 1, 0, 1]])
})
