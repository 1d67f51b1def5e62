import { resolveOptions, type Spec } from '../../base/options.js'
import { Inlet, INLET_OPTIONS, type InletOptions } from '../../core/inlet.js'

/** Table of the options of {@link NullInlet}. */
export const NULL_INLET_OPTIONS = INLET_OPTIONS satisfies Spec<InletOptions>

/** Inlet that produces nothing. */
export class NullInlet extends Inlet<never> {
  /** @throws {@link InvalidOptionError} */
  constructor(options: InletOptions = {}) {
    resolveOptions('NullInlet', options, NULL_INLET_OPTIONS)
    super(options)
  }

  pull(): never[] {
    return []
  }

  override saveState(): unknown {
    return undefined
  }
}
