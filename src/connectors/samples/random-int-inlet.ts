import { InvalidOptionError } from '../../base/errors.js'
import { custom, resolveOptions, type Spec } from '../../base/options.js'
import { Inlet, INLET_OPTIONS, type InletOptions } from '../../core/inlet.js'

/** Options of {@link RandomIntInlet}. */
export interface RandomIntInletOptions extends InletOptions {
  /**
   * Start of a sequence that is the same at every run: an integer, of which the lowest 32 bits count.
   * @default undefined - another sequence at every run
   */
  readonly seed?: number
}

/** Table of the options of {@link RandomIntInlet}. */
export const RANDOM_INT_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  seed: custom(readSeed, 'undefined - another sequence at every run'),
} satisfies Spec<RandomIntInletOptions>

/**
 * Produces one random integer per transfer, from `min` to `max`, both included.
 *
 * With a `seed` the numbers come from mulberry32, a generator by Tommy Ettinger (public domain,
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c); without one from `Math.random()`. Neither
 * is fit for secrets.
 */
export class RandomIntInlet extends Inlet<number> {
  readonly #min: number
  readonly #span: number
  /** State of mulberry32: 32 bits. `undefined` without a seed. */
  #state: number | undefined

  /**
   * @param min - smallest number
   * @param max - greatest number
   * @throws {@link InvalidOptionError} unless they are integers and `min` is not above `max`
   */
  constructor(min = 0, max = 100, options: RandomIntInletOptions = {}) {
    const { seed } = resolveOptions('RandomIntInlet', options, RANDOM_INT_INLET_OPTIONS)
    super(options)
    this.#min = checkInteger('RandomIntInlet.min', min)
    this.#span = checkInteger('RandomIntInlet.max', max) - min + 1
    if (min > max) throw new InvalidOptionError('RandomIntInlet.min', `at most max, which is ${max}`, min)
    if (!Number.isSafeInteger(this.#span)) {
      throw new InvalidOptionError('RandomIntInlet.max', 'less than 2 ** 53 above min', max)
    }
    this.#state = seed
  }

  pull(): number {
    return this.#min + Math.floor(this.#fraction() * this.#span)
  }

  override saveState(): number | undefined {
    return this.#state
  }

  override restoreState(state: unknown): void {
    if (typeof state === 'number') this.#state = state
  }

  /** Random fraction, at least 0 and less than 1, in steps of 2 ** -53. */
  #fraction(): number {
    if (this.#state === undefined) return Math.random()
    const high = this.#next(this.#state) >>> 5
    const low = this.#next(this.#state) >>> 6
    return (high * 2 ** 26 + low) / 2 ** 53
  }

  /** Random 32 bits: one step of mulberry32. */
  #next(state: number): number {
    const next = (state + 0x6d2b79f5) | 0
    this.#state = next
    let bits = Math.imul(next ^ (next >>> 15), next | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return bits ^ (bits >>> 14)
  }
}

/** Reads a seed, of which the lowest 32 bits count. */
function readSeed(name: string, seed: number | undefined): number | undefined {
  return seed === undefined ? undefined : checkInteger(name, seed) | 0
}

function checkInteger(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new InvalidOptionError(name, 'an integer', value)
  }
  return value
}
