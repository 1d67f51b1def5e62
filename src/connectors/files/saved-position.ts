import { isCarriedPulls, type CarriedPulls } from '../open-pulls.js'

/** Position up to which a file was read: plain data, which survives a structured clone and JSON. */
export interface SavedPosition {
  /** Inode of the file, which identifies it whatever its name. */
  readonly inode: string
  /** Number of bytes that were read. */
  readonly position: number
  /** Hash of a sample of the bytes that were read. */
  readonly fingerprint: string
  /** State of the splitter at the position. */
  readonly state: unknown
  /** Number of records so far that were not taken as they stood in the file. */
  readonly damaged: number
}

/** What moves along to another thread: the position, and the pulls before it that buffers hold. */
export interface HandedPosition extends SavedPosition {
  readonly carried?: CarriedPulls<SavedPosition>
}

/** Whether a value, which may be anything, is a {@link HandedPosition}. */
export function isHandedPosition(value: unknown): value is HandedPosition {
  if (!isSavedPosition(value)) return false
  const { carried } = value as { readonly carried?: unknown }
  return carried === undefined || (isCarriedPulls(carried) && isSavedPosition(carried.start))
}

/** Whether a value, which may be anything, is a {@link SavedPosition}. */
export function isSavedPosition(value: unknown): value is SavedPosition {
  if (typeof value !== 'object' || value === null) return false
  const { inode, position, fingerprint, damaged } = value as { readonly [key in keyof SavedPosition]?: unknown }
  return typeof inode === 'string' && isCount(position) && typeof fingerprint === 'string' && isCount(damaged)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
