import { formatLine, setLogDestination } from '../base/log.js'
import { mistakeIn } from './error-text.js'
import type { TextStream } from './process-context.js'

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

/** A JSON log line without its error's stack, and with what the error's causes say, and where a mistake is, in its message. */
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
 * @param message - tells of an error, mostly by that error's own message
 * @param chain - the messages of the error and its causes: `the source is gone: connection refused`
 */
function withCauses(message: string, chain: string): string {
  const told = [...prefixes(chain)].find((prefix) => message.includes(prefix))
  return told === undefined ? `${message}: ${chain}` : message.replace(told, () => chain)
}

/** `a: b` of `a: b: b`: an error often says what its cause does. */
function withoutEcho(chain: string): string {
  for (let at = chain.indexOf(': '); at !== -1; at = chain.indexOf(': ', at + 1)) {
    if (chain.slice(0, at).endsWith(chain.slice(at))) return chain.slice(0, at)
  }
  return chain
}

/** `a: b: c`, `a: b`, `a`. */
function* prefixes(chain: string): Generator<string> {
  for (let end = chain.length; end > 0; end = chain.lastIndexOf(': ', end - 1)) yield chain.slice(0, end)
}
