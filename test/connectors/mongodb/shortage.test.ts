import t from 'tap'
import { mongoServer } from '../../helpers/mongo.js'

const mongo = await mongoServer(t)
const { skip } = mongo

/** The program runs as it is built. */
const program = new URL('../../../dist/test/faults/shortages.js', import.meta.url).href
const { runShort } = (await import(program)) as typeof import('../../faults/shortages.js')

t.test('inlets and outlets of MongoDB outlive a time without file descriptors', { skip }, async (t) => {
  const { url } = await mongo.database(t)
  t.match(await runShort('threads', 0, url), /^right: /)
  t.match(await runShort('main', 0, url), /^right: /)
})
