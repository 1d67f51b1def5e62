import { resolveOptions, type Spec } from '../../base/options.js'
import { Outlet, OUTLET_OPTIONS, type OutletOptions } from '../../core/outlet.js'

/** Table of the options of {@link NullOutlet}. */
export const NULL_OUTLET_OPTIONS = OUTLET_OPTIONS satisfies Spec<OutletOptions>

/** Outlet that takes records and does nothing with them. */
export class NullOutlet extends Outlet {
  override readonly readsOnly = true

  /** @throws {@link InvalidOptionError} */
  constructor(options: OutletOptions = {}) {
    resolveOptions('NullOutlet', options, NULL_OUTLET_OPTIONS)
    super(options)
  }

  push(): void {}

  override saveState(): unknown {
    return undefined
  }
}
