import { pathToFileURL } from 'node:url'
import { ConfigError, sortOf } from '../base/errors.js'
import { importModule, type ModuleExports } from '../base/modules/import-module.js'
import { whyNotLoaded } from '../base/modules/load-failure.js'
import { hasFields } from './check-config.js'
import type { ConfigContext } from './define-config.js'
import { shownPath } from './find-config.js'

/** Time that a configuration file may take to load, in milliseconds. */
const PATIENCE = 60_000

const EXPECTED = "expected 'export default defineConfig({ ... })'"

/**
 * What a configuration file exports, not checked yet. It is loaded in this thread, and what it prints goes to standard error:
 * standard output has what the command says.
 *
 * @throws {@link ConfigError} when it is missing, does not parse, throws, or exports nothing
 */
export async function loadConfig(file: string, context: ConfigContext): Promise<object> {
  const shown = shownPath(file)
  const url = pathToFileURL(file).href
  return printingToError(() => withinTime(shown, load(url, shown, context)))
}

async function load(url: string, shown: string, context: ConfigContext): Promise<object> {
  try {
    const source = defaultOf(await importModule(url))
    if (isClass(source)) throw new ConfigError(shown, `exports a class: ${EXPECTED}`)
    const config: unknown = await (typeof source === 'function'
      ? (source as (given: ConfigContext) => unknown)(context)
      : source)
    if (config === undefined || config === null) {
      const what = source === undefined ? 'exports nothing by default' : `gives ${sortOf(config)}`
      throw new ConfigError(shown, `${what}: ${EXPECTED}`)
    }
    if (typeof config !== 'object' || Array.isArray(config) || !hasFields(config)) {
      throw new ConfigError(shown, `exports ${Array.isArray(config) ? 'a list' : sortOf(config)}: ${EXPECTED}`)
    }
    return config
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(shown, await whyNotLoaded(cause, url), { cause })
  }
}

function isClass(source: unknown): boolean {
  return typeof source === 'function' && /^class\b/.test(Function.prototype.toString.call(source))
}

/** The default export of a module: that of a CommonJS module is all that it exports, or its own `default`. */
function defaultOf(module: ModuleExports): unknown {
  const whole = module['default']
  if (typeof whole !== 'object' || whole === null || !('default' in whole)) return whole
  return '__esModule' in whole || 'module.exports' in module ? whole.default : whole
}

async function withinTime<T>(shown: string, loading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new ConfigError(shown, `it did not load within ${PATIENCE / 1000} s`))
    }, PATIENCE)
  })
  try {
    return await Promise.race([loading, late])
  } finally {
    clearTimeout(timer)
  }
}

async function printingToError<T>(act: () => Promise<T>): Promise<T> {
  const { stdout, stderr } = process
  const own = Object.getOwnPropertyDescriptor(stdout, 'write')
  stdout.write = stderr.write.bind(stderr)
  try {
    return await act()
  } finally {
    if (own === undefined) Reflect.deleteProperty(stdout, 'write')
    else Object.defineProperty(stdout, 'write', own)
  }
}
