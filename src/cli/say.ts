import { printableLines } from '../base/printable.js'
import { scrub } from '../base/scrub.js'
import type { TextStream } from './process-context.js'

/** Writes a message of the command, without the values of secrets. */
export function say(stream: TextStream, text: string): void {
  stream.write(`databay: ${printableLines(scrub(text))}\n`)
}
