import t from 'tap'
import { Quarantine } from '../../../src/threads/main/quarantine.js'

t.test('a link is kept away after its third crash, for twice as long each time, up to five minutes', async (t) => {
  const quarantine = new Quarantine()
  const times = Array.from({ length: 13 }, () => {
    quarantine.crashed(1000)
    return quarantine.left(1000)
  })
  const expected = [0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]
  t.same(times, expected)
  t.equal(quarantine.crashCount, 13)
  t.equal(quarantine.left(1000 + 299_999), 1)
  t.equal(quarantine.left(1000 + 300_001), 0)
})

t.test('its crashes are forgotten when it has transferred for a minute since', async (t) => {
  const quarantine = new Quarantine()
  for (let crash = 0; crash < 3; crash++) quarantine.crashed(0)
  quarantine.pass(60_999)
  t.equal(quarantine.crashCount, 3, 'a minute from when it came back')
  quarantine.pass(61_000)
  t.equal(quarantine.crashCount, 0)
  quarantine.crashed(70_000)
  t.equal(quarantine.left(70_000), 0)
})
