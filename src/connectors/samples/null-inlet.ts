import { checkOptions } from '../../base/check.js'
import { Inlet, type InletOptions } from '../../core/inlet.js'

/** An inlet that produces nothing. */
export class NullInlet extends Inlet<never> {
  /** @throws {@link InvalidOptionError} */
  constructor(options: InletOptions = {}) {
    super(checkOptions('NullInlet', options, ['metadata']))
  }

  pull(): never[] {
    return []
  }

  override saveState(): unknown {
    return undefined
  }
}
