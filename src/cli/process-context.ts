/** What the command has of its process. */
export interface ProcessContext {
  /** The arguments, without those that started the script. */
  readonly argv: readonly string[]
  readonly env: { readonly [name: string]: string | undefined }
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly signals: SignalSource
}

/** How the command ended. */
export interface Ending {
  /** Exit code of the process. */
  readonly code: number
  /** The signal that ends the process at once, whatever still runs in it; `undefined` after an orderly end. */
  readonly signal: StopSignal | undefined
}

/** Exit codes that are not from a signal. */
export const EXIT = { orderly: 0, failed: 1, badArguments: 2 } as const

/** The part of a standard stream that is used. */
export interface TextStream {
  write(chunk: string | Uint8Array, encoding?: BufferEncoding | WriteDone, done?: WriteDone): boolean
  readonly isTTY?: boolean
  /** Width, of a terminal. */
  readonly columns?: number
  /** Whether a terminal shows colours, as far as the environment tells. */
  hasColors?(env?: object): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  /** Told each stream that is no longer piped into this one, as when this one has failed. */
  on(event: 'unpipe', listener: (source: { resume(): unknown }) => void): unknown
  off(event: 'unpipe', listener: (source: { resume(): unknown }) => void): unknown
}

type WriteDone = (error?: Error | null) => void

/** Where signals come from: `process`. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
}

/** The signals that ask a process to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM'
