import { extname } from 'node:path'

/** Whether charts go to one file; otherwise it is a folder for a file of each bench. */
export function isFile(path: string): boolean {
  return extname(path) === '.svg'
}
