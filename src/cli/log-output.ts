import { formatLine, setLogDestination } from '../log.js'
import type { TextStream } from './surroundings.js'

export interface LogLook {
  /** Lines as JSON, as they are, rather than readable ones. */
  readonly json: boolean
  /** Whether the stacks of errors are shown in readable lines. */
  readonly stacks: boolean
}

/**
 * Sends the log to a stream.
 *
 * @returns a function that ends it
 */
export function logTo(stream: TextStream, look: LogLook): () => void {
  setLogDestination({
    write: (line) => {
      stream.write(look.json ? line : formatLine(look.stacks ? line : withoutStack(line)))
    },
  })
  return () => {
    setLogDestination(undefined)
  }
}

/** A JSON log line without its error: the message has the error's, so its stack is all that is missing. */
function withoutStack(line: string): string {
  try {
    const { err: _err, ...entry } = JSON.parse(line) as { readonly err?: unknown }
    return JSON.stringify(entry)
  } catch {
    return line // no logger wrote it
  }
}
