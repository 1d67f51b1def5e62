import { EventEmitter } from 'node:events'
import { toError } from '../../base/errors.js'

/** Stream that a `PrintOutlet` writes to: the part of a writable stream that it uses. */
export interface PrintStream {
  /** Writes a text, and then calls `done`, with the error if the text could not be written. */
  write(text: string, done: (error?: Error | null) => void): unknown
}

type Fail = (error: Error) => void

/** Pushes that wait for a stream, and the listeners that they share, as many pushes may wait. */
interface Waiting {
  readonly fails: Set<Fail>
  readonly onError: Fail
  readonly onClose: () => void
}

const waiting = new WeakMap<EventEmitter, Waiting>()

/**
 * Writes a text. Rejects when it cannot be written, also when the stream is closed on the way and would never tell. An
 * `'error'` event that results from it has a listener: without one, it would end the process.
 */
export function print(stream: PrintStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail: Fail = (error) => {
      reject(error)
      stopWaiting()
    }
    const stopWaiting = stream instanceof EventEmitter ? waitFor(stream, fail) : () => undefined
    const done = (error?: Error | null): void => {
      if (error) {
        reject(error)
        setImmediate(stopWaiting) // the event comes after this call
      } else {
        resolve()
        stopWaiting()
      }
    }
    try {
      stream.write(text, done)
    } catch (error) {
      done(toError(error))
    }
  })
}

/**
 * Calls `fail` when the stream fails or is closed.
 *
 * @returns the function that ends the waiting
 */
function waitFor(stream: EventEmitter, fail: Fail): () => void {
  const { fails, onError, onClose } = waiting.get(stream) ?? newWaiting(stream)
  if (fails.size === 0) stream.on('error', onError).on('close', onClose)
  fails.add(fail)
  return () => {
    if (fails.delete(fail) && fails.size === 0) stream.off('error', onError).off('close', onClose)
  }
}

function newWaiting(stream: EventEmitter): Waiting {
  const fails = new Set<Fail>()
  const onError: Fail = (error) => {
    for (const fail of [...fails]) fail(error)
  }
  const made = {
    fails,
    onError,
    onClose: () => {
      onError(new Error('the stream was closed before the text was written'))
    },
  }
  waiting.set(stream, made)
  return made
}
