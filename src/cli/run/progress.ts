import { StatusLine } from './status-line.js'
import { statusText, type Status, type StatusLook } from './status-text.js'
import type { ProcessContext, TextStream } from '../process-context.js'

/** Shows how a run goes, until it is closed. */
export interface Progress {
  close(): void
}

/** How often a terminal's status line is refreshed, in milliseconds. */
const REFRESH = 250

/** How often a line is written where there is no terminal, in milliseconds. */
const LINE_EVERY = 10_000

/** A status line on a terminal, lines now and then elsewhere. */
export function showProgress(
  { stdout, stderr, env }: Pick<ProcessContext, 'stdout' | 'stderr' | 'env'>,
  status: () => Status,
  say: (text: string) => void,
): Progress {
  return showLine({ stdout, stderr, env }, (look) => statusText(status(), look), say)
}

/** A text on a terminal's status line, lines with it now and then elsewhere. */
export function showLine(
  { stdout, stderr, env }: Pick<ProcessContext, 'stdout' | 'stderr' | 'env'>,
  text: (look?: StatusLook) => string,
  say: (text: string) => void,
): Progress {
  return isTerminal(stderr, env)
    ? liveProgress(stderr, stdout.isTTY === true ? [stdout] : [], wantsColor(stderr, env), text)
    : plainProgress(text, say)
}

/** A line every ten seconds. */
export function plainProgress(text: () => string, say: (text: string) => void, every = LINE_EVERY): Progress {
  const timer = setInterval(() => {
    say(text())
  }, every).unref()
  return {
    close() {
      clearInterval(timer)
    },
  }
}

function liveProgress(
  terminal: TextStream,
  others: readonly TextStream[],
  color: boolean,
  text: (look: StatusLook) => string,
): Progress {
  const line = new StatusLine(terminal, others)
  const refresh = () => {
    line.show(text({ width: line.width, color }))
  }
  const timer = setInterval(refresh, REFRESH).unref()
  refresh()
  return {
    close() {
      clearInterval(timer)
      line.close()
    },
  }
}

/** Whether lines of the stream can be rewritten. */
function isTerminal(stream: TextStream, env: ProcessContext['env']): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** See https://no-color.org: what counts is that the variable is set and not empty. */
function wantsColor(stream: TextStream, env: ProcessContext['env']): boolean {
  return (env.NO_COLOR ?? '') === '' && stream.hasColors?.(env) === true
}
