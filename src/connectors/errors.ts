import { DatabayError, toError } from '../base/errors.js'

/** Why an HTTP request came to nothing. */
export type HttpFailure = 'connection' | 'timeout' | 'status' | 'body' | 'redirect' | 'pages'

export interface HttpErrorOptions extends ErrorOptions {
  readonly status?: number | undefined
  readonly retryAfter?: number | undefined
}

/**
 * A request failed, or its response cannot be used. The message names the URL without what may be secret in it:
 * credentials and query.
 */
export class HttpError extends DatabayError {
  static override readonly code = 'DATABAY_HTTP'

  /**
   * What failed: the `connection` (also DNS and TLS), the time ran out (`timeout`), the response's `status` is not
   * accepted, its `body` cannot be used, it leads where it must not (`redirect`), or there is no end of `pages`.
   */
  readonly failure: HttpFailure
  /** Status of the response; `undefined` when there is none. */
  readonly status: number | undefined
  /** How long the server asked to wait before another try, in milliseconds; `undefined` when it did not. */
  readonly retryAfter: number | undefined

  constructor(failure: HttpFailure, message: string, options?: HttpErrorOptions) {
    super(message, options)
    this.failure = failure
    this.status = options?.status
    this.retryAfter = options?.retryAfter
  }
}

/** A file cannot be read or written. `cause` is the error of the system. */
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
 * A database cannot be reached, or refuses what it was asked to do. The message names the connector and where, and shows
 * neither credentials nor documents. `cause` is the error of the driver, unless that holds documents.
 */
export class DatabaseError extends DatabayError {
  static override readonly code = 'DATABAY_DATABASE'

  /** Number under which the database knows the error, like 11000 for a duplicate key; `undefined` when it gave none. */
  readonly serverCode: number | undefined

  constructor(message: string, options?: ErrorOptions & { readonly serverCode?: number | undefined }) {
    super(message, options)
    this.serverCode = options?.serverCode
  }
}

/** A record is for a MongoDB collection that does not exist, and that is not to be made. */
export class MongoCollectionNotFound extends DatabayError {
  static override readonly code = 'DATABAY_MONGO_COLLECTION_NOT_FOUND'

  /** Name of the collection. */
  readonly collection: string

  constructor(collection: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.collection = collection
  }
}
