import { DatabayError } from './errors.js'

/** Why an HTTP request came to nothing. */
export type HttpFailure = 'connection' | 'timeout' | 'status' | 'body'

/**
 * A request failed, or its response cannot be used. The message names the URL without what may be secret in it:
 * credentials and query.
 */
export class HttpError extends DatabayError {
  /**
   * What failed: the `connection` (also DNS and TLS), the time ran out (`timeout`), the response's `status` is not
   * accepted, or its `body` cannot be used.
   */
  readonly failure: HttpFailure
  /** Status of the response; `undefined` when there is none. */
  readonly status: number | undefined

  constructor(
    failure: HttpFailure,
    message: string,
    options?: ErrorOptions & { readonly status?: number | undefined },
  ) {
    super('DATABAY_HTTP', message, options)
    this.failure = failure
    this.status = options?.status
  }
}

/** A file cannot be read or written. `cause` is the error of the system. */
export class FileError extends DatabayError {
  /** Path of the file. */
  readonly path: string

  constructor(path: string, message: string, options?: ErrorOptions) {
    super('DATABAY_FILE', message, options)
    this.path = path
  }
}

/** An outlet cannot take a record because of its payload. The message never shows the payload. */
export class InvalidPayloadError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_INVALID_PAYLOAD', message, options)
  }
}
