import t from 'tap'
import { Rate } from '../../../src/cli/run/rate.js'

t.test('the rate is the growth in a second', async (t) => {
  const rate = new Rate(10_000, 0)
  t.equal(rate.note(100, 500), 200)
  t.equal(rate.note(300, 1000), 300)
})

t.test('what is older than the window does not count', async (t) => {
  const rate = new Rate(1000, 0)
  rate.note(1_000_000, 100)
  rate.note(1_000_000, 1000)
  t.equal(rate.note(1_000_050, 1500), 50 / 1.4)
  t.equal(rate.note(1_000_050, 2000), 50)
  t.equal(rate.note(1_000_050, 2500), 0)
})

t.test('when rates are asked for rarely, the time since the last one counts', async (t) => {
  const rate = new Rate(1000, 0)
  rate.note(10, 10_000)
  t.equal(rate.note(30, 20_000), 2)
})

t.test('before any time has passed there is no rate', async (t) => {
  t.equal(new Rate(1000, 5).note(7, 5), 0)
})
