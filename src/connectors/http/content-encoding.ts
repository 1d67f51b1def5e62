/** Encodings that a body may be packed with. `identity` is none. */
export const CONTENT_ENCODINGS = ['gzip', 'deflate', 'br', 'identity'] as const
/** Encoding that a body may be packed with. `identity` is none. */
export type ContentEncoding = (typeof CONTENT_ENCODINGS)[number]

/** Value of `accept-encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br'
