import { DatabayError, toError, type DatabayErrorOptions } from '../base/errors.js'

/** A file cannot be read or written. The `cause` is the error of the system. */
export class FileError extends DatabayError {
  static override readonly code = 'DATABAY_FILE'

  /** Path of the file. */
  readonly path: string

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.path = path
  }
}

/** Makes the error of a connector that cannot do something with a file, such as `read` or `write to` it. */
export function fileError(connector: string, verb: string, path: string, cause: unknown): FileError {
  return new FileError(path, `${connector}: cannot ${verb} ${path}: ${toError(cause).message}`, { cause })
}

/**
 * A database cannot be reached, or refuses a request. The message names the connector and the place, and shows neither
 * credentials nor documents. The `cause` is the error of the driver, unless that holds documents.
 */
export class DatabaseError extends DatabayError {
  static override readonly code = 'DATABAY_DATABASE'

  /**
   * Code under which the database knows the error, like 11000 of MongoDB or `'23505'` of PostgreSQL for a duplicate key;
   * `undefined` when it gave none.
   */
  readonly serverCode: number | string | undefined

  constructor(message: string, options?: DatabayErrorOptions & { readonly serverCode?: number | string | undefined }) {
    super(message, options)
    this.serverCode = options?.serverCode
  }
}
