import { extname } from 'node:path'

/** Whether a path for charts is one file; otherwise it is a folder with one file for each bench. */
export function isFile(path: string): boolean {
  return extname(path) === '.svg'
}
