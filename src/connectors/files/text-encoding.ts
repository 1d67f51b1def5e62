/** Encodings of text files. The names without a dash are those of Node, and mean the same. */
export const TEXT_ENCODINGS = ['utf-8', 'utf-16le', 'latin1', 'ascii', 'utf8', 'utf16le'] as const
/** Encoding of a text file. */
export type TextEncoding = (typeof TEXT_ENCODINGS)[number]
