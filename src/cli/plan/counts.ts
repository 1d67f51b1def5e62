import { countBefore, timeAt, type Series } from './series.js'

/** Numbers of runs in stretches of time that are equally long. */
export class Counts {
  /** Begin of the first stretch. */
  readonly from: number
  /** Length of a stretch, in milliseconds. */
  readonly width: number
  readonly values: Float64Array

  constructor(from: number, to: number, width: number) {
    this.from = from
    this.width = width
    this.values = new Float64Array(Math.ceil((to - from) / width))
  }

  /**
   * Counts the runs of a series.
   *
   * @param links - number of links that are due at its times
   */
  add(series: Series, links: number): void {
    const { values, from, width } = this
    const placeOf = (time: number) => Math.floor((time - from) / width)
    if (series.step >= width || series.count === 1) {
      for (let index = 0; index < series.count; index++) add(values, placeOf(timeAt(series, index)), links)
      return
    }
    let counted = 0
    for (let place = placeOf(series.start); counted < series.count; place++) {
      const upTo = countBefore(series, from + (place + 1) * width)
      add(values, place, links * (upTo - counted))
      counted = upTo
    }
  }

  /** The same numbers for stretches that are longer, by a whole factor. */
  merged(factor: number): Counts {
    if (factor === 1) return this
    const merged = new Counts(this.from, this.from + this.values.length * this.width, this.width * factor)
    for (const [place, value] of this.values.entries()) add(merged.values, Math.floor(place / factor), value)
    return merged
  }
}

function add(values: Float64Array, place: number, value: number): void {
  values[place] = (values[place] ?? 0) + value
}
