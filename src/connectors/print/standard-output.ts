import { Buffer } from 'node:buffer'
import { fstatSync, write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { lazy } from '../../base/libraries.js'
import { withLock } from '../../base/locks.js'
import { OUTPUT_CLOSED, printDescriptor } from '../../base/standard-output.js'
import type { PrintStream } from './print-stream.js'

const tty = lazy<typeof import('node:tty')>('node:tty')

/** Number of bytes that a pipe takes as a whole, even while others write to it. */
const PIPE_WRITE = 4096

/** Pause before the next write to a full pipe, in milliseconds. */
const PAUSE = 5

const writeBytes = promisify(write)

/**
 * Standard output of the process. In a thread, `process.stdout` leads to the main thread, and does not tell whether the
 * text came any further. So the thread itself writes, unless the output is a terminal.
 */
export function standardOutput(): PrintStream {
  return isMainThread || tty().isatty(printDescriptor()) ? process.stdout : direct
}

const direct: PrintStream = {
  write: (text, done) => {
    withLock('databay.stdout', () => writeAll(Buffer.from(text))).then(
      () => {
        done()
      },
      (error: unknown) => {
        done(markClosed(error as Error))
      },
    )
  },
}

/** Marks the error that means that the reader has gone away, as `head` does when it has enough. */
function markClosed(error: Error): Error {
  return 'code' in error && error.code === 'EPIPE' ? Object.assign(error, { [OUTPUT_CLOSED]: true }) : error
}

async function writeAll(bytes: Buffer): Promise<void> {
  const output = printDescriptor()
  const most = fstatSync(output).isFile() ? bytes.length : PIPE_WRITE
  for (let at = 0; at < bytes.length;) {
    // whole lines, as far as they fit
    const newline = bytes.length - at > most ? bytes.lastIndexOf(0x0a, at + most - 1) : -1
    const end = newline >= at ? newline + 1 : Math.min(at + most, bytes.length)
    try {
      at += (await writeBytes(output, bytes, at, end - at)).bytesWritten
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      await delay(PAUSE) // the pipe is full, and its reader is busy
    }
  }
}
