import { formatLine, setLogDestination } from '../base/log.js'
import { OUTPUT_CLOSED } from '../base/standard-output.js'
import { mistakeIn } from './error-text.js'
import type { TextStream } from './process-context.js'

/** Look of the log. */
export interface LogLook {
  /** Whether lines are JSON, as they come, rather than readable text. */
  readonly json: boolean
  /** Whether the stacks of errors are shown in readable lines. */
  readonly stacks: boolean
}

/** In a log line of an error that means that the reader of standard output has gone away. */
const CLOSED = `"${OUTPUT_CLOSED}":true`

/**
 * Sends the log to a stream.
 *
 * @returns a function that stops that
 */
export function logTo(stream: TextStream, look: LogLook): () => void {
  setLogDestination({
    write: (line) => {
      // nobody reads what a link prints any more: the run stops for that, and it is no error
      if (line.includes(CLOSED)) return
      stream.write(look.json ? line : formatLine(look.stacks ? line : withoutStack(line)))
    },
  })
  return () => {
    setLogDestination(undefined)
  }
}

/** A JSON log line without its error's stack: its message has what the causes say, and the place of a mistake. */
function withoutStack(line: string): string {
  try {
    const { err, ...entry } = JSON.parse(line) as {
      readonly msg?: string
      readonly err?: { readonly message?: string; readonly stack?: string }
    }
    return JSON.stringify(
      err?.message === undefined
        ? entry
        : { ...entry, msg: withCauses(entry.msg ?? '', withoutEcho(err.message)) + mistakeIn(err.stack) },
    )
  } catch {
    return line // no logger wrote it
  }
}

/**
 * A message with what the causes of its error say.
 *
 * @param message - message about an error, mostly with that error's own message in it
 * @param chain - messages of the error and its causes: `the source is gone: connection refused`
 */
function withCauses(message: string, chain: string): string {
  const told = [...prefixes(chain)].find((prefix) => message.includes(prefix))
  return told === undefined ? `${message}: ${chain}` : message.replace(told, () => chain)
}

/** Removes repetitions, as the last `b` of `a: b (records 1, 2): b`: an error often says what its cause does. */
function withoutEcho(chain: string): string {
  for (let at = chain.indexOf(': '); at !== -1; at = chain.indexOf(': ', at + 1)) {
    if (chain.slice(0, at).includes(chain.slice(at))) return chain.slice(0, at)
  }
  return chain
}

/** Beginnings of a chain, the longest first: `a: b: c`, `a: b`, `a`. */
function* prefixes(chain: string): Generator<string> {
  for (let end = chain.length; end > 0; end = chain.lastIndexOf(': ', end - 1)) yield chain.slice(0, end)
}
