import { fstat, lstat, read } from 'node:fs'
import { promisify } from 'node:util'

/*
 * Calls of the file system that every small transfer makes, by the descriptor of a file. Those of `node:fs/promises` make
 * an array for the facts of a file at each call, even of one that only reads, and memory for them is costly to free. But
 * nothing keeps the descriptor open for these: whoever closes the file has to wait for them first.
 */

/** Facts about an open file. */
export const statFd = promisify(fstat)
export const readFd = promisify(read)

/** Facts about what is at a path, also when it is a link. */
export const statPath = promisify(lstat)
