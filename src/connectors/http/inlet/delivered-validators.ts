import type { Update } from '../../../core/update.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from '../../open-pulls.js'
import { checkValidators, type Validators } from './validators.js'

/** State of {@link DeliveredValidators}: plain data. */
export type SavedValidators = Validators & {
  /** Pulls whose records buffers hold. Their start is empty where there was no validator before. */
  readonly carried?: CarriedPulls<Validators>
}

/**
 * Validators of the last response. A response that was not delivered is requested again, with the validators of the one
 * before it; one that is on its way to the outlets, or held by a buffer, is not.
 */
export class DeliveredValidators {
  #read: Validators | undefined
  /** Number of the pull that the validators are of. */
  #from = 0
  #begun = 0
  readonly #pulls = new OpenPulls<Validators | undefined>()

  /** Validators to ask with: those of the last response, unless it has to be requested again. */
  get current(): Validators | undefined {
    return this.#pulls.goOnAt(this.#read)
  }

  /** What another inlet needs to go on; `undefined` when there is nothing. */
  save(): SavedValidators | undefined {
    const { position, carried } = this.#pulls.handOff(this.#read)
    if (carried === undefined) return position
    return { ...position, carried: { ...carried, start: carried.start ?? {} } }
  }

  /** Goes on with what another inlet has saved, as far as it can be used. */
  restore(saved: unknown): void {
    this.#read = checkValidators(saved)
    this.#pulls.clear()
    const carried = typeof saved === 'object' && saved !== null && 'carried' in saved ? saved.carried : undefined
    if (isCarriedPulls(carried)) this.#pulls.takeOver({ ...carried, start: checkValidators(carried.start) })
  }

  /** Begins a pull. The function that it returns notes the validators of the response, once the pull has read it. */
  begin(update: Update): (validators: Validators | undefined) => void {
    const back = this.#pulls.takeBack()
    if (back !== undefined) this.#read = back.start
    const pull = ++this.#begun
    const start = this.#read
    return (validators) => {
      this.#pulls.add(update, start, 1)
      // of pulls at the same time, the one that began last counts
      if (pull < this.#from) return
      this.#from = pull
      this.#read = validators
    }
  }

  /** Notes what came of a pull. */
  ended(update: Update, delivered: boolean): void {
    this.#pulls.end(update, delivered)
  }
}
