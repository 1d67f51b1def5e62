import type { Url } from '../../../base/node-types.js'
import type { Secret } from '../../../base/secret.js'
import type { Untyped } from '../../../base/untyped.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import type { HttpParams } from '../request.js'
import type { HttpHeaders } from '../request-headers.js'

/** Where a record is sent, as far as it is elsewhere than the other records. */
export interface HttpDestination {
  /** URL below that of the outlet, which a relative one is taken from; the text `''` is that of the outlet. */
  readonly url?: string | Url | Secret
  readonly method?: string
  /** Headers that replace those of the outlet under the same name. */
  readonly headers?: HttpHeaders
  /** Parameters for the query of the URL. */
  readonly params?: HttpParams
}

/** Function that gives where a record is sent: a URL, or more than that. */
export type HttpTarget<T = Untyped> = (
  record: Record<T>,
  update: Update,
) => string | Url | Secret | HttpDestination | undefined
