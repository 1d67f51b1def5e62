/** Whether an error says that a file does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** Result of work that needs a file; `undefined` when the file does not exist. */
export async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Pattern for several files, as shells have it. A file may have such a name, too. */
const PATTERN = /[*?]|\[[^\]]+\]|\{[^}]*,[^}]*\}/

/**
 * Result of work that needs a file; `undefined` when the file does not exist, and is awaited.
 *
 * @throws when the file does not exist, and its path is a pattern: nothing would ever have that name
 */
export async function orAwaited<T>(work: Promise<T>, path: string, missing: 'error' | 'await'): Promise<T | undefined> {
  try {
    return await work
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    if (PATTERN.test(path)) {
      throw new Error('there is no file of this very name, and patterns for several files are not read', { cause })
    }
    if (missing === 'error') throw cause
    return undefined
  }
}
