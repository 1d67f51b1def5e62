import { placeAbove, placeAt, type CodePlace } from './syntax-place.js'

/** Folder of this package's code; in a bundle, the bundle. */
const OWN = import.meta.url.replace(/base\/modules\/[^/]*$/, '')

/** Place in a user's code where an error was made, as far as its stack shows: not in a package. */
export function thrownPlace(error: Error): CodePlace | undefined {
  return framesOf(error)
    .map(placeOf)
    .find((place) => place !== undefined && !place.url.includes('/node_modules/') && !place.url.startsWith(OWN))
}

/** Whether running code made a syntax error, such as `JSON.parse` does, rather than Node when it read a module. */
export function isThrownByCode(error: SyntaxError): boolean {
  if (placeAbove(error) !== undefined) return false
  const frames = framesOf(error)
  const ofNode = frames.findIndex((frame) => frame.includes('node:internal/modules/'))
  return frames.slice(0, ofNode === -1 ? undefined : ofNode).some((frame) => placeOf(frame) !== undefined)
}

function framesOf({ stack = '' }: Error): string[] {
  return stack.split('\n').filter((line) => /^ +at /.test(line))
}

/** Place of a line of a stack; `undefined` for code of Node and for code without a file. */
function placeOf(frame: string): CodePlace | undefined {
  const found = /^ +at (?:async )?(?:.*? \()?(file:[^<>\s]+|\/[^<>]+|[A-Za-z]:\\[^<>]+):(\d+):(\d+)\)?$/.exec(frame)
  return found === null ? undefined : placeAt(found, Number(found[3]))
}
