import type { StopSignal } from '../base/stop-signals.js'

/** The process, as far as a command uses it. */
export interface ProcessContext {
  /** Arguments, without node and the script. */
  readonly argv: readonly string[]
  readonly env: { readonly [name: string]: string | undefined }
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly signals: SignalSource
}

/** End of a command. */
export interface Ending {
  /** Exit code of the process. */
  readonly code: number
  /** Signal that ends the process at once, whatever still runs in it; `undefined` after an orderly end. */
  readonly signal: StopSignal | undefined
}

/** Exit codes that are not from a signal. */
export const EXIT = { orderly: 0, failed: 1, badArguments: 2 } as const

/** A standard stream, as far as a command uses it. */
export interface TextStream {
  write(chunk: string | Uint8Array, encoding?: BufferEncoding | WriteDone, done?: WriteDone): boolean
  readonly isTTY?: boolean
  /** Width of a terminal, in characters. */
  readonly columns?: number
  /** Whether a terminal shows colours, as far as the environment tells. */
  hasColors?(env?: object): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  /** Listens to the end of pipes into this stream, as when this stream has failed. */
  on(event: 'unpipe', listener: (source: { resume(): unknown }) => void): unknown
  off(event: 'unpipe', listener: (source: { resume(): unknown }) => void): unknown
}

type WriteDone = (error?: Error | null) => void

/** Source of signals: `process`. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
}
