import type { TextStream } from '../process-context.js'

/** Where a command writes its lines. */
export interface Output {
  /** Writes lines, once there is room for them. @returns whether more can be written */
  lines(lines: readonly string[]): Promise<boolean>
}

/** Writes lines to a standard stream. When its reader has gone away, that is the end. */
export function outputTo(stream: TextStream): Output {
  return {
    lines: (lines) =>
      new Promise((resolve) => {
        if (lines.length === 0) resolve(true)
        else {
          stream.write(`${lines.join('\n')}\n`, (error) => {
            resolve(error === undefined || error === null)
          })
        }
      }),
  }
}
