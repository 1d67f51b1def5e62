import { checkName } from '../base/check.js'
import { custom, type Spec } from '../base/options.js'

/** The option of inlets, outlets and processors that names one of them. */
export interface NameOption {
  /**
   * Name in logs, reports, dead letters and the store, where there are several of one class.
   * @default undefined - its class
   */
  readonly name?: string
}

/** Row of the option `name`. */
export const NAME_OPTION = { name: custom(checkName, 'undefined - its class') } satisfies Spec<NameOption>
