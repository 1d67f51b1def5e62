import t from 'tap'
import { Secret } from '../../../src/index.js'
import { labelsText } from '../../../src/operate/http/exposition.js'

t.test('no label of a metric shows a secret', async (t) => {
  const token = new Secret('tok"en-42')
  t.equal(labelsText({ link: `orders of ${token.reveal()}` }), '{link="orders of ***"}')
})
