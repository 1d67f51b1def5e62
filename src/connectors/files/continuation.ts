import type { FileMark } from './file-mark.js'
import type { OpenedFile } from './opened-file.js'

/** Bytes that are compared at once. */
const WINDOW = 65_536

/** Most windows that are compared: all of a file up to 16 MiB. Of a larger one, they lie at equal distances. */
const WINDOWS = 256

/**
 * Whether a file begins with the bytes that another one had up to a mark. Of more than 16 MiB, windows are compared that
 * are spread over all of them, the first and the last bytes among them.
 */
export async function continues(before: OpenedFile, file: OpenedFile, mark: FileMark): Promise<boolean> {
  // most files differ here
  if (!(await file.holds(mark))) return false
  const { position } = mark
  const windows = Math.min(WINDOWS, Math.ceil(position / WINDOW))
  const step = windows === 1 ? 0 : (position - WINDOW) / (windows - 1)
  for (let window = 0; window < windows; window++) {
    const start = Math.max(0, Math.floor(step * window))
    const size = Math.min(WINDOW, position - start)
    const [was, is] = await Promise.all([before.readAt(start, size), file.readAt(start, size)])
    if (is.length < size || !was.equals(is)) return false
  }
  return true
}
