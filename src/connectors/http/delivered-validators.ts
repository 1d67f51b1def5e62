import type { Update } from '../../core/update.js'
import type { Validators } from './validators.js'

/**
 * Validators of the last response that was delivered. Those of a response count only once its transfer has delivered
 * it; otherwise the response is requested again.
 */
export class DeliveredValidators {
  #current: Validators | undefined
  /** Number of the pull that the current validators are of. */
  #from = 0
  #pulls = 0
  readonly #read = new WeakMap<Update, { readonly pull: number; readonly validators: Validators | undefined }>()

  /** Validators of the last response that was delivered; `undefined` when it had none. */
  get current(): Validators | undefined {
    return this.#current
  }

  /** Goes on with validators that another inlet has saved. */
  restore(validators: Validators | undefined): void {
    this.#current = validators
  }

  /** Begins a pull. The function that it returns notes the validators of the response, once the pull has read it. */
  begin(update: Update): (validators: Validators | undefined) => void {
    const pull = ++this.#pulls
    return (validators) => {
      this.#read.set(update, { pull, validators })
    }
  }

  /** Notes how a transfer has ended. Of transfers at the same time, the pull that began last counts. */
  ended(update: Update, delivered: boolean): void {
    const read = this.#read.get(update)
    if (!delivered || read === undefined || read.pull < this.#from) return
    this.#from = read.pull
    this.#current = read.validators
  }
}
