/** Up to where a file was read: plain data, which survives a structured clone and JSON. */
export interface SavedPosition {
  /** Which file it was, whatever its name. */
  readonly inode: string
  /** Bytes of it that were read. */
  readonly position: number
  /** A hash of a part of them. */
  readonly fingerprint: string
  /** What the splitter has to know to go on. */
  readonly state: unknown
  /** How many records were not taken as they stood in the file. */
  readonly damaged: number
}

export function isSavedPosition(value: unknown): value is SavedPosition {
  if (typeof value !== 'object' || value === null) return false
  const { inode, position, fingerprint, damaged } = value as { readonly [key in keyof SavedPosition]?: unknown }
  return typeof inode === 'string' && isCount(position) && typeof fingerprint === 'string' && isCount(damaged)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
