import { printableLines } from '../base/printable.js'
import type { TextStream } from './process-context.js'

/** Writes a message of the command. */
export function say(stream: TextStream, text: string): void {
  stream.write(`databay: ${printableLines(text)}\n`)
}
