/** Formats of the content of objects. */
export const OBJECT_FORMATS = ['lines', 'jsonl', 'json', 'csv', 'whole', 'bytes'] as const
/** Format of the content of an object. */
export type S3ObjectFormat = (typeof OBJECT_FORMATS)[number]

/** Format of an object, and the delimiter where its key says it. */
export interface KeyFormat {
  readonly format: S3ObjectFormat
  /** Delimiter of its cells; `undefined` where the key says nothing of it. */
  readonly delimiter?: string
}

const BY_ENDING: ReadonlyMap<string, KeyFormat> = new Map<string, KeyFormat>([
  ['jsonl', { format: 'jsonl' }],
  ['ndjson', { format: 'jsonl' }],
  ['json', { format: 'json' }],
  ['csv', { format: 'csv' }],
  ['tsv', { format: 'csv', delimiter: '\t' }],
  ['txt', { format: 'lines' }],
  ['log', { format: 'lines' }],
  ['', { format: 'lines' }],
])

/** An ending that says nothing of the content: that of packed data, or the number of a part. */
const PASSED_OVER = /\.(?:gz|gzip|\d+)$/i

/** Format of an object by the ending of its key; any other ending than those known is that of bytes. */
export function formatOf(key: string): KeyFormat {
  let name = key.slice(key.lastIndexOf('/') + 1)
  while (PASSED_OVER.test(name)) name = name.replace(PASSED_OVER, '')
  const dot = name.lastIndexOf('.')
  // a name like .profile has no ending
  const ending = dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
  return BY_ENDING.get(ending) ?? { format: 'bytes' }
}
