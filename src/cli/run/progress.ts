import { StatusLine } from './status-line.js'
import { statusText, type Status, type StatusLook } from './status-text.js'
import type { ProcessContext, TextStream } from '../process-context.js'

/** Display of a run's progress, until it is closed. */
export interface Progress {
  close(): void
}

/** Interval at which a terminal's status line is refreshed, in milliseconds. */
const REFRESH = 250

/** Interval at which a line is written where there is no terminal, in milliseconds. */
const LINE_EVERY = 10_000

/** Shows the status of a run: as a status line on a terminal, as a line now and then elsewhere. */
export function showProgress(
  { stdout, stderr, env }: Pick<ProcessContext, 'stdout' | 'stderr' | 'env'>,
  status: () => Status,
  say: (text: string) => void,
): Progress {
  return showLine({ stdout, stderr, env }, (look) => statusText(status(), look), say)
}

/** Shows a text: on the status line of a terminal, as a line now and then elsewhere. */
export function showLine(
  { stdout, stderr, env }: Pick<ProcessContext, 'stdout' | 'stderr' | 'env'>,
  text: (look?: StatusLook) => string,
  say: (text: string) => void,
): Progress {
  return isTerminal(stderr, env)
    ? liveProgress(stderr, stdout.isTTY === true ? [stdout] : [], wantsColor(stderr, env), text)
    : plainProgress(text, say)
}

/** Writes a text as a line every ten seconds. */
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

/** Keeps a text on the status line of a terminal. */
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

/** Whether a stream is a terminal that can rewrite its lines. */
function isTerminal(stream: TextStream, env: ProcessContext['env']): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** Whether a terminal is to show colours. See https://no-color.org: NO_COLOR counts when it is set and not empty. */
export function wantsColor(stream: TextStream, env: ProcessContext['env']): boolean {
  return (env.NO_COLOR ?? '') === '' && stream.hasColors?.(env) === true
}
