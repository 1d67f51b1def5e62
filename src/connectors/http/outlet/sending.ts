import type { Warnings } from '../../../base/warnings.js'
import type { Update } from '../../../core/update.js'
import type { Connection } from '../agents.js'
import { httpError, type HttpError, type HttpErrorOptions, type HttpFailure } from '../errors.js'
import type { OutgoingRequests } from './outgoing.js'
import type { HttpOutletSettings } from './outlet-settings.js'
import type { SizeLimit } from './size-limit.js'

/** What the requests of a push share. */
export interface Sending {
  readonly settings: HttpOutletSettings
  readonly connection: Connection
  readonly requests: OutgoingRequests
  readonly limit: SizeLimit
  readonly warnings: Warnings
  readonly update: Update
  /** Errors of records that were not taken, by their places. */
  readonly errors: Map<number, Error>
}

/** Makes an error of a request of a push. */
export function failureOf(
  { settings }: Pick<Sending, 'settings'>,
  failure: HttpFailure,
  message: string,
  options?: HttpErrorOptions,
): HttpError {
  return httpError(settings.url, failure, message, options, 'HttpOutlet')
}
