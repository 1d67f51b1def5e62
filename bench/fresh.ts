import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Settings } from './bench.js'
import type { Cost } from './children/cost.js'
import { check, type Figures, type Units } from './measure.js'

/** Units of the figures of {@link figuresOf}, but for the rate's. */
export const FRESH_UNITS: Units = { cpu: 'us CPU each', memory: 'MiB above the idle process' }

/**
 * Runs a program of `bench/children` in a process of its own, which has done nothing before.
 *
 * @param child - name of the program
 * @returns what it printed as JSON
 */
export async function fresh(child: string, args: readonly (string | number)[]): Promise<unknown> {
  const path = fileURLToPath(new URL(`./children/${child}.js`, import.meta.url))
  return printedBy(process.execPath, [path, ...args.map(String)])
}

/** Runs a program, and reads what it printed as JSON. */
export async function printedBy(command: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(command, args)
  return JSON.parse(stdout)
}

/** Settings for samples in processes of their own: none warms up what the next one finds. */
export function unwarmed(settings: Settings): Settings {
  return { ...settings, smoke: true }
}

/**
 * Makes figures of what work took.
 *
 * @param rows - how many pieces of work there are to do; it throws when others were done
 * @param rated - amount of work for the rate, such as megabytes
 */
export function figuresOf({ rows: done, seconds, cpu, memory }: Cost, rows: number, rated: number): Figures {
  check('rows', done, rows)
  return { rate: rated / seconds, cpu: (cpu * 1e6) / done, memory }
}
