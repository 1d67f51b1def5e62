import type { Dispatcher } from 'undici'
import type { Signal } from '../../base/node-types.js'
import type { S3Query } from './address.js'
import type { S3Body } from './body.js'

/** Who makes a request, such as an update: its text is for the log. */
export interface S3Caller {
  /** Ends the request when it aborts. */
  readonly signal: Signal
  toString(): string
}

/** Request of S3, apart from its bucket. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Key of an object. Default: none, for the bucket itself. */
  readonly key?: string
  readonly query?: S3Query
  /** Headers by their names in lower case. */
  readonly headers?: { readonly [name: string]: string }
  /** Content; it must not change before it is sent. */
  readonly body?: S3Body | undefined
}

/** Headers of a response, by their names in lower case. */
export interface S3Headers {
  readonly [name: string]: string | readonly string[] | undefined
}

/** Response of S3 that was read whole. */
export interface S3Response {
  readonly status: number
  readonly headers: S3Headers
  readonly text: string
}

/** Response of S3 whose content is read piece by piece. */
export interface S3Stream {
  readonly status: number
  readonly headers: S3Headers
  readonly stream: Dispatcher.ResponseData['body']
}
