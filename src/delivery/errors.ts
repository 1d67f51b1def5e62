import { DatabayError } from '../base/errors.js'

/** A link with `delivery: 'cursor'` has an inlet that does not say how far it has come. */
export class NoCursorError extends DatabayError {
  static override readonly code = 'DATABAY_NO_CURSOR'
}

/** A link with `delivery` is in a planner without the option `store`. */
export class NoStoreError extends DatabayError {
  static override readonly code = 'DATABAY_NO_STORE'
}

/** The kept cursor of an inlet is of another version, and the inlet does not migrate it. */
export class CursorVersionError extends DatabayError {
  static override readonly code = 'DATABAY_CURSOR_VERSION'
}

/** A link has as many dead letters as it may have, and waits with the next one. */
export class DeadLettersFullError extends DatabayError {
  static override readonly code = 'DATABAY_DEAD_LETTERS_FULL'
}
