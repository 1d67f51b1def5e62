import { DatabayError } from '../../base/errors.js'

/** A process cannot be steered: its socket cannot be made, nothing answers at it, or what answers makes no sense. */
export class ControlError extends DatabayError {
  static override readonly code = 'DATABAY_CONTROL'
}

/** A socket cannot be made at a path, as something is there that is in use. */
export class PlaceTakenError extends ControlError {}
