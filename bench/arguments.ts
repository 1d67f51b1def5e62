import { existsSync, statSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import type { Settings } from './bench.js'
import { isFile } from './chart-path.js'

/** Arguments of a run of benches. */
export interface Arguments {
  readonly settings: Settings
  /** Names of the benches to run. */
  readonly benches: readonly string[]
  readonly json: boolean
  /** File or folder for charts; `undefined` for none. */
  readonly plot: string | undefined
}

interface Options extends Omit<Settings, 'only'> {
  readonly only: readonly string[]
  readonly case: string
  readonly json: boolean
  readonly plot?: string
}

/** Megabytes of a file where it is only to be seen that all works. */
const SMOKE_SIZE = 0.05

/**
 * Reads the arguments; ends the process when one is wrong.
 *
 * @param benches - names of all benches
 */
export function parseArguments(argv: readonly string[], benches: readonly string[]): Arguments {
  const names = (text: string) => {
    const chosen = text.split(',')
    const unknown = chosen.find((name) => !benches.includes(name))
    if (unknown !== undefined)
      throw new InvalidArgumentError(`there is no bench '${unknown}', but ${benches.join(', ')}`)
    return benches.filter((name) => chosen.includes(name))
  }
  const command = new Command('bench')
    .description('Measures databay beside its peers. Figures can be compared within one run only.')
    .option('--only <names>', 'benches to run, like dispatch,records', names, [...benches])
    .option('--case <text>', 'measures only cases whose name contains this', '')
    .option('--threads <counts>', 'counts of worker threads to measure with', threads, [1, 2, 4])
    .option('--seconds <seconds>', 'how long one sample takes', positive, 0.4)
    .option('--samples <count>', 'how many samples each figure is the median of', count, 5)
    .option('--smoke', 'sizes as small as can be: only to see that all works', false)
    .option('--python <command>', 'a Python that has databay 0.3.0', 'python3')
    .option('--size <size>', 'size of the files that are copied, like 200MB or 1GB', megabytes, 200)
    .option('--json', 'prints one JSON object', false)
    .option('--plot <path>', 'draws charts: an .svg file for one bench, or a folder', chartPath)
  command.parse([...argv], { from: 'user' })
  const { only: chosen, json, plot, case: only, ...settings } = command.opts<Options>()
  const size = settings.smoke ? SMOKE_SIZE : settings.size
  // before anything is measured, which takes minutes
  if (plot !== undefined && isFile(plot) && chosen.length > 1) {
    command.error(
      `error: option '--plot <path>' must be a folder for the charts of ${chosen.length} benches, got '${plot}'`,
    )
  }
  return { settings: { ...settings, size, only }, benches: chosen, json, plot }
}

function chartPath(path: string): string {
  if (/\.(png|jpe?g|pdf)$/i.test(path)) throw new InvalidArgumentError('charts are .svg')
  if (!isFile(path) && existsSync(path) && !statSync(path).isDirectory()) {
    throw new InvalidArgumentError('it must be an .svg file or a folder')
  }
  return path
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('it must be a number above 0')
  return value
}

/** Reads a size, and gives it in megabytes. */
function megabytes(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(MB|GB)$/i.exec(text) ?? []
  const value = Number(amount) * (unit?.toUpperCase() === 'GB' ? 1000 : 1)
  if (!(value > 0)) throw new InvalidArgumentError('it must be like 200MB or 1GB')
  return value
}

function count(text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError('it must be a whole number above 0')
  return value
}

function threads(text: string): number[] {
  return [...new Set(text.split(',').map(count))].sort((a, b) => a - b)
}
