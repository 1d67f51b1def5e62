import t from 'tap'
import { FEWEST_EVENTS, fitBins, fitMagnitudes, histogram } from '../../examples/quickstart/magnitude-fit.js'

/** Makes magnitudes that follow `log10 N = a - b M` from `completeness` on, evenly spread over its quantiles. */
function ideal(b: number, completeness: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => completeness - 0.05 - Math.log10(1 - (i + 0.5) / count) / b)
}

t.test('the slope is that of Aki and Utsu', async (t) => {
  // ten events of magnitude 2.0 and five of 2.1: mean 2.0333, so b = 0.4343 / (2.0333 - (2.0 - 0.05)) = 5.2115
  const { b, completeness } = fitBins(
    histogram(Uint8Array.from([...Array<number>(10).fill(20), ...Array<number>(5).fill(21)])),
  )
  t.equal(completeness, 2)
  t.ok(Math.abs(b - 5.2115) < 1e-3, `b = ${b}`)
})

t.test('events of one magnitude have a slope too, as a bin has a width', async (t) => {
  // 0.4343 / 0.05
  t.ok(Math.abs(fitBins(histogram(Uint8Array.of(7, 7, 7))).b - 8.6859) < 1e-3)
})

t.test('completeness is the fullest bin, the larger of two, and what is below does not count', async (t) => {
  const bins = [3, 3, 5, 5, 5, 9, 9, 9, 10]
  const { b, completeness } = fitBins(histogram(Uint8Array.from(bins)))
  t.ok(Math.abs(completeness - 0.9) < 1e-9)
  // 9, 9, 9, 10: mean 0.925, so 0.4343 / (0.925 - 0.85)
  t.ok(Math.abs(b - 5.7906) < 1e-3, `b = ${b}`)
})

t.test('the slope of an ideal catalogue is found, and lies in its interval', async (t) => {
  for (const expected of [0.8, 1, 1.3]) {
    const fit = fitMagnitudes(ideal(expected, 1.5, 3000), { draws: 1e6, seed: 1 })
    if (fit === undefined) throw new Error('no fit')
    t.ok(Math.abs(fit.b - expected) < 0.03, `b = ${fit.b}`)
    t.ok(Math.abs(fit.completeness - 1.5) < 1e-9)
    t.ok(fit.low < expected && expected < fit.high, `${fit.low} to ${fit.high}`)
    // the standard error of b is b / sqrt(N) (Aki 1965)
    const width = (2 * 1.96 * expected) / Math.sqrt(3000)
    t.ok(fit.high - fit.low > width / 2 && fit.high - fit.low < width * 2, `width ${fit.high - fit.low}`)
  }
})

t.test('the interval is wider when there are fewer events', async (t) => {
  const width = (count: number) => {
    const fit = fitMagnitudes(ideal(1, 1, count), { draws: 1e5, seed: 1 })
    return fit === undefined ? NaN : fit.high - fit.low
  }
  t.ok(width(100) > width(1000))
})

t.test('the same seed gives the same fit', async (t) => {
  const magnitudes = ideal(1, 1, 100)
  t.same(fitMagnitudes(magnitudes, { draws: 1e5, seed: 7 }), fitMagnitudes(magnitudes, { draws: 1e5, seed: 7 }))
})

t.test('too few events give no fit', async (t) => {
  t.equal(fitMagnitudes(ideal(1, 1, FEWEST_EVENTS - 1), { draws: 1e5, seed: 1 }), undefined)
  t.not(fitMagnitudes(ideal(1, 1, FEWEST_EVENTS), { draws: 1e5, seed: 1 }), undefined)
})
