import type { StageTime } from '../../core/report.js'

/** Names of the stages of a link, in their order. */
export type StageList = readonly Pick<StageTime, 'stage' | 'node'>[]

const NONE: StageList = []

/** Lists of the names of stages that a message has, each once: most links of a thread have the same few. */
export class StageLists {
  #lists: StageList[] = []
  /** Place of each list, by its names. */
  #places = new Map<string, number>()
  /** Place of the list that was asked for last. */
  #last = 0

  /** Place of the list of these stages in the message. */
  placeOf(stages: StageList): number {
    if (isSame(stages, this.#lists[this.#last])) return this.#last
    const key = stages.map(({ stage, node }) => `${stage} ${node}`).join('\n')
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.#lists.length
      this.#places.set(key, place)
      this.#lists.push(stages.map(({ stage, node }) => ({ stage, node })))
    }
    this.#last = place
    return place
  }

  /** Gives the lists, and begins with none. */
  take(): readonly StageList[] {
    const lists = this.#lists
    if (lists.length === 0) return lists
    this.#lists = []
    this.#places = new Map()
    return lists
  }
}

function isSame(some: StageList, others: StageList = NONE): boolean {
  if (some.length !== others.length || some.length === 0) return false
  for (let at = 0; at < some.length; at++) {
    const [one, other] = [some[at], others[at]]
    if (one?.node !== other?.node || one?.stage !== other?.stage) return false
  }
  return true
}
