import { getHeapStatistics } from 'node:v8'

/*
 * Memory that a thread shares with the main thread, so that it shows what it does even while it does not answer:
 *
 *   beat      counted up by a timer of the thread: stands still while its event loop is held up
 *   begun     how many runs of transfers it has begun, in the order in which they were sent
 *   inside    id of the link whose code it is in, plus one; 0 outside of any
 *   deadline  the earliest time at which a transfer that runs in it should have ended, by {@link monotonic}
 *   heapUsed, external   how much memory its objects take, as of the last beat
 *
 * Each number has one writer, and is read as a whole on every 64-bit machine.
 */
const BEAT = 0
const BEGUN = 1
const INSIDE = 2
const DEADLINE = 3
const HEAP_USED = 4
const EXTERNAL = 5
const NUMBERS = 6

/** Time between two beats of a thread's pulse, in milliseconds. */
export const BEAT_INTERVAL = 100

/** Numbers by which a thread shows what it does: see above. */
export class Pulse {
  /** Memory of the numbers, to be given to the thread. */
  readonly memory: SharedArrayBuffer
  readonly #numbers: Float64Array

  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(NUMBERS * Float64Array.BYTES_PER_ELEMENT)
    this.#numbers = new Float64Array(this.memory)
    if (memory === undefined) this.#numbers[DEADLINE] = Infinity
  }

  /** Number of beats so far. */
  get beats(): number {
    return this.#numbers[BEAT] ?? 0
  }

  /** Number of the first run that has not begun. */
  get begun(): number {
    return this.#numbers[BEGUN] ?? 0
  }

  set begun(runs: number) {
    this.#numbers[BEGUN] = runs
  }

  /** Id of the link whose code the thread is in, as far as it is known. */
  get inside(): number | undefined {
    const inside = this.#numbers[INSIDE] ?? 0
    return inside === 0 ? undefined : inside - 1
  }

  set inside(link: number | undefined) {
    this.#numbers[INSIDE] = link === undefined ? 0 : link + 1
  }

  /** Earliest time at which something in the thread should have ended, by {@link monotonic}; `Infinity` for none. */
  get deadline(): number {
    return this.#numbers[DEADLINE] ?? Infinity
  }

  set deadline(time: number) {
    this.#numbers[DEADLINE] = time
  }

  /** Bytes of the thread's JavaScript objects. */
  get heapUsed(): number {
    return this.#numbers[HEAP_USED] ?? 0
  }

  /** Bytes outside of the heap that the thread's objects hold. */
  get external(): number {
    return this.#numbers[EXTERNAL] ?? 0
  }

  /** Beats, and shows the memory. To be called by the thread itself. */
  beat(): void {
    this.#numbers[BEAT] = this.beats + 1
    const memory = getHeapStatistics()
    this.#numbers[HEAP_USED] = memory.used_heap_size
    this.#numbers[EXTERNAL] = memory.external_memory
  }
}

/** Time of the process's clock at which this thread's clock showed 0: each thread counts from when it began. */
const ORIGIN = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Gives the time of a clock that is the same in all threads and that nobody sets, in milliseconds. */
export function monotonic(): number {
  return ORIGIN + performance.now()
}
