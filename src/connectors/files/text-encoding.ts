/** Encodings of text files. The names without a dash are Node's, and mean the same. */
export const TEXT_ENCODINGS = ['utf-8', 'utf-16le', 'latin1', 'ascii', 'utf8', 'utf16le'] as const
export type TextEncoding = (typeof TEXT_ENCODINGS)[number]
