/** Hooks of Node's loader: `./x.js` stands for `./x.ts` where only that exists, and `.ts` files are compiled. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compiled } from './compiled.js'

const LOCAL_JS = /^(?:\.|file:)[^?]*\.js(?:\?|$)/
const TS = /^file:[^?]*\.ts(?:\?|$)/

export function resolve(specifier, context, next) {
  if (LOCAL_JS.test(specifier)) {
    const url = new URL(specifier, context.parentURL)
    const file = fileURLToPath(url)
    if (!existsSync(file) && existsSync(file.replace(/js$/, 'ts'))) {
      url.pathname = url.pathname.replace(/js$/, 'ts')
      return { url: url.href, format: 'module', shortCircuit: true }
    }
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (!TS.test(url)) return next(url, context)
  // the next hook is tap's own, which records the files that a process has loaded
  const { source } = await next(url, { ...context, format: 'module' })
  return { format: 'module', source: compiled(fileURLToPath(url), String(source)), shortCircuit: true }
}
