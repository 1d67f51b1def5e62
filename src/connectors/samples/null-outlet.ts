import { checkOptions } from '../../base/check.js'
import { Outlet, type OutletOptions } from '../../core/outlet.js'

/** An outlet that takes records and does nothing with them. */
export class NullOutlet extends Outlet {
  /** @throws {@link InvalidOptionError} */
  constructor(options: OutletOptions = {}) {
    super(checkOptions('NullOutlet', options, ['processors']))
  }

  push(): void {}

  override saveState(): unknown {
    return undefined
  }
}
