/**
 * Encodings of text files. The names `utf8` and `utf16le` are those of Node, and mean the same as with a dash. `latin1`
 * is read as on the Web, which means `windows-1252` by it.
 */
export const TEXT_ENCODINGS = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'latin1',
  'ascii',
  'utf8',
  'utf16le',
] as const
/** Encoding of a text file. */
export type TextEncoding = (typeof TEXT_ENCODINGS)[number]
