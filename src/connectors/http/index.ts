/** The connectors of HTTP: `databay/http`. The package's root exports them too. */
export type { ContentEncoding } from './content-encoding.js'
export { HttpError, type HttpErrorOptions, type HttpFailure } from './errors.js'
export type { HttpFormat } from './format.js'
export { HttpInlet } from './http-inlet.js'
export { HttpOutlet } from './http-outlet.js'
export { nextLink, type HttpPage, type NextPage } from './inlet/next-link.js'
export type { HttpInletOptions } from './inlet/inlet-options.js'
export type {
  HttpBodyFormat,
  HttpBodyFrom,
  HttpIdempotencyKey,
  HttpOutletOptions,
  HttpSend,
} from './outlet/outlet-options.js'
export type { HttpParams } from './request.js'
export type { HttpHeaders } from './request-headers.js'
export type { ResponseHeaders } from './response-headers.js'
export type { HttpAnswer, HttpResult, HttpResults } from './outlet/results.js'
export type { SelectRecords } from './inlet/select.js'
export type { HttpSince, SincePage, SinceRequest } from './inlet/since.js'
export type { HttpDestination, HttpTarget } from './outlet/http-target.js'
