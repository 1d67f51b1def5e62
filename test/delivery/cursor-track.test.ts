import t from 'tap'
import { Inlet } from '../../src/core/inlet.js'
import { Update } from '../../src/core/update.js'
import { CursorTrack } from '../../src/delivery/cursor-track.js'

const inlet = new (class extends Inlet {
  pull = () => []
})()

/** Makes a pull that advances before each of some lists, and ends. */
function pull(track: CursorTrack, ...values: number[]): Update {
  const update = new Update([], 0)
  const cursor = track.begin(update)
  for (const value of values) {
    cursor.advance(value)
    cursor.given(cursor.mark())
  }
  cursor.complete()
  return update
}

function settle(track: CursorTrack, update: Update, delivered: boolean, deliveredRounds = delivered ? Infinity : 0) {
  track.settle({ inlet, update, delivered, rounds: { rounds: 1, deliveredRounds } })
}

const valueOf = (track: CursorTrack) => track.begin(new Update([], 0)).value

t.test('what is kept is what was advanced in pulls that were delivered', async (t) => {
  const track = new CursorTrack('Inlet', 1)
  const [first, second] = [pull(track, 10), pull(track, 20)]
  t.equal(track.toKeep, undefined)
  settle(track, first, true)
  t.equal(track.toKeep?.value, 10)
  t.notOk(track.isQuiet)
  settle(track, second, true)
  t.equal(track.toKeep?.value, 20)
  t.ok(track.isQuiet)
  track.kept = track.toKeep
  t.equal(track.toKeep, undefined, 'it is kept once')
})

t.test(
  'after a pull that was not delivered, the next one begins where it did, and later ones count no more',
  async (t) => {
    const track = new CursorTrack('Inlet', 1)
    const [first, second, third] = [pull(track, 10), pull(track, 20), pull(track, 30)]
    settle(track, second, false)
    t.equal(track.toKeep, undefined, 'the first is held still')
    settle(track, third, true)
    t.equal(track.toKeep, undefined)
    const again = pull(track, 21)
    settle(track, first, true)
    t.equal(track.toKeep?.value, 10)
    settle(track, again, true)
    t.equal(track.toKeep?.value, 21)
  },
)

t.test('of a stream, lists that were delivered count, from the first one on', async (t) => {
  const track = new CursorTrack('Inlet', 1)
  const update = pull(track, 10, 20, 30)
  track.progress(update, 1)
  t.equal(track.toKeep?.value, 10)
  settle(track, update, false, 2)
  t.equal(track.toKeep?.value, 20)
  t.equal(valueOf(track), 20)
})

t.test('a stream is not ahead of the pulls before it', async (t) => {
  const track = new CursorTrack('Inlet', 1)
  pull(track, 10)
  track.progress(pull(track, 20, 30), 2)
  t.equal(track.toKeep, undefined)
})

t.test('what was advanced and not given does not count', async (t) => {
  const track = new CursorTrack('Inlet', 1)
  const update = new Update([], 0)
  const cursor = track.begin(update)
  cursor.advance(10)
  cursor.given(cursor.mark())
  cursor.advance(20)
  cursor.end()
  t.equal(valueOf(track), 10)
  settle(track, update, true)
  t.equal(track.toKeep?.value, 10)
  t.throws(() => cursor.advance(30), { message: 'Inlet: cursor.advance() was called after its pull' })
})

t.test('a value that is no JSON, or too long, is refused at once', async (t) => {
  const cursor = new CursorTrack('Inlet', 1).begin(new Update([], 0))
  t.throws(() => cursor.advance(new Date()), { code: 'DATABAY_INVALID_OPTION' })
  t.throws(() => cursor.advance({ id: 1n }), { code: 'DATABAY_INVALID_OPTION' })
  t.throws(() => cursor.advance('x'.repeat(65536)), { message: /at most 65536 bytes/ })
  t.equal(cursor.value, undefined)
})
