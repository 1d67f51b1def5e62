import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { constants, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { StopSignal } from '../../src/base/stop-signals.js'
import type { ProcessContext, TextStream } from '../../src/cli/process-context.js'

/** Environment of a program whose coverage counts. It takes twice the time, so few programs of the tests have it. */
export const MEASURED = { MEASURE_COVERAGE: '1' }

/** Path of the built command. */
export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

/** Path of a file in test/cli/fixtures. */
export function cliFixture(name: string): string {
  return fileURLToPath(new URL(`../cli/fixtures/${name}`, import.meta.url))
}

type WriteDone = (error?: Error | null) => void

/** A standard stream that keeps what is written to it. */
export class FakeStream
  extends EventEmitter<{ error: [Error]; unpipe: [{ resume(): unknown }] }>
  implements TextStream
{
  text = ''
  readonly isTTY: boolean
  readonly columns: number

  /** @param columns - width of the terminal; 0 for no terminal */
  constructor(columns = 0) {
    super()
    this.columns = columns
    this.isTTY = columns > 0
  }

  write(chunk: string | Uint8Array, encoding?: BufferEncoding | WriteDone, done?: WriteDone): boolean {
    this.text += Buffer.from(chunk).toString()
    const told = typeof encoding === 'function' ? encoding : done
    told?.(null)
    return true
  }

  hasColors(): boolean {
    return true
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }
}

/** Makes a process context for the command that does not touch the real process. */
export function fakeContext(argv: readonly string[], options: { columns?: number; env?: ProcessContext['env'] } = {}) {
  const signals = new EventEmitter<{ [signal in StopSignal]: [signal: StopSignal] }>()
  const { columns, env = {} } = options
  return { argv, env, signals, stdout: new FakeStream(), stderr: new FakeStream(columns) } satisfies ProcessContext
}

/** A command that runs as a process of its own. */
export class RunningCommand {
  stdout = ''
  stderr = ''
  /** Exit code of the command, once it has ended. */
  readonly ended: Promise<number | null>
  readonly #child
  readonly #events = new EventEmitter<{ text: [] }>()

  constructor(t: Test, command: readonly [string, ...string[]], env: NodeJS.ProcessEnv = {}) {
    const [file, ...args] = command
    // npm's own variables would make it think that npm started it
    const { npm_command: _npm, NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...inherited } = process.env
    this.#child = spawn(file, args, { env: { ...inherited, TERM: 'xterm-256color', ...env } })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#events.emit('text')
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#events.emit('text')
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      // the code that a shell shows for a process that a signal has ended
      this.#child.on('close', (code, signal) => {
        resolve(signal === null ? code : 128 + constants.signals[signal])
      })
    })
    t.teardown(() => this.#child.kill('SIGKILL'))
  }

  /** Waits until a condition on the printed text holds. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#events.once('text', resolve))
  }

  kill(signal: StopSignal): void {
    this.#child.kill(signal)
  }

  /** Closes the terminal of the command. */
  hangUp(): void {
    this.#child.stdin.end()
  }

  /** Types text into the terminal of the command. */
  type(text: string): void {
    this.#child.stdin.write(text)
  }
}

/** Runs `databay` with the words of a command line; words that end in `.mjs` are fixtures. */
export function command(t: Test, line: string, env?: NodeJS.ProcessEnv): RunningCommand {
  return new RunningCommand(t, [process.execPath, MAIN, ...words(line)], env)
}

/** Runs `databay` in a terminal, as {@link command} does: what the terminal shows is in `stdout`. */
export function commandInTerminal(t: Test, columns: number, line: string, env?: NodeJS.ProcessEnv): RunningCommand {
  const argv = [cliFixture('terminal.py'), String(columns), process.execPath, MAIN, ...words(line)]
  return new RunningCommand(t, ['python3', ...argv], env)
}

/** Folders with the files of the tests: their paths may have spaces. */
const FOLDERS = [resolve(import.meta.dirname, '../..'), tmpdir()]

/** Splits a command line into arguments; names of `.mjs` files without a folder are fixtures. */
export function words(line: string): string[] {
  const short = FOLDERS.reduce((text, folder, index) => text.replaceAll(`${folder}/`, `\0${index}/`), line)
  return short
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => (/^[\w-]+\.mjs$/.test(word) ? cliFixture(word) : word))
    .map((word) => word.replace(/\0(\d)/g, (_, index) => FOLDERS[Number(index)] ?? ''))
}

/**
 * Lines that a terminal shows in the end, those that have scrolled away included. Knows line ends, returns and clearing,
 * no other controls. Colours are left out.
 */
export function screenOf(output: string): string[] {
  const lines = ['']
  let column = 0
  for (const [token] of output.matchAll(/\u001b\[[\d;]*[A-Za-z]|[\s\S]/gu)) {
    const line = lines.at(-1) ?? ''
    if (token === '\n') lines.push('')
    if (token === '\n' || token === '\r') column = 0
    else if (token === '\u001b[2K') lines[lines.length - 1] = ''
    else if (token === '\u001b[K') lines[lines.length - 1] = line.slice(0, column)
    else if (/^\u001b\[[\d;]*m$/.test(token)) continue
    else {
      lines[lines.length - 1] = line.padEnd(column).slice(0, column) + token + line.slice(column + 1)
      column++
    }
  }
  return lines
}

/** Events that a command with `--json` has printed. */
export function eventsOf({ stdout }: RunningCommand) {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly event: string; readonly [key: string]: unknown })
}
