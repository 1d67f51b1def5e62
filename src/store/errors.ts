import { DatabayError } from '../base/errors.js'

/** The store cannot be opened, read or written now: the disk is full, the folder is missing, a lock is held. */
export class StoreError extends DatabayError {
  static override readonly code = 'DATABAY_STORE'
}

/** Another process, or another planner of this one, owns the store. */
export class StoreOwnedError extends DatabayError {
  static override readonly code = 'DATABAY_STORE_OWNED'
}

/** Something in the store is not what was written. `databay store check` says what, `databay store salvage` saves the rest. */
export class StoreCorruptError extends DatabayError {
  static override readonly code = 'DATABAY_STORE_CORRUPT'
}

/** The store was written by a newer databay, or the file is no store. */
export class StoreVersionError extends DatabayError {
  static override readonly code = 'DATABAY_STORE_VERSION'
}

/** The link was opened again elsewhere: what this thread wants to write comes too late. */
export class FencedError extends DatabayError {
  static override readonly code = 'DATABAY_FENCED'
}

/** A record or a state has something that would not come back from the disk as it was. The message has its path. */
export class UnspoolableError extends DatabayError {
  static override readonly code = 'DATABAY_UNSPOOLABLE'
}
