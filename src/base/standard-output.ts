/** Where what links print goes: 1 is standard output, 2 is standard error. */
let descriptor: 1 | 2 = 1

/** File descriptor that takes what links print. */
export function printDescriptor(): 1 | 2 {
  return descriptor
}

/**
 * Sends what this thread prints to standard error, as standard output is needed for something else. What is written to its
 * file descriptor, such as by other programs that the thread starts, still goes there.
 */
export function printToStandardError(): void {
  descriptor = 2
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => process.stderr })
}

/** Name of the field of an error that says that the reader of standard output has gone away. */
export const OUTPUT_CLOSED = 'standardOutputClosed'
