import { DatabayError } from '../base/errors.js'

/** The address that the option `http` names cannot be listened on. The `cause` is what the system said. */
export class HttpListenError extends DatabayError {
  static override readonly code = 'DATABAY_HTTP_LISTEN'
}
