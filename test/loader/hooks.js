/** Node's hooks: `./x.js` is `./x.ts` where only that exists, and what ends in `.ts` is compiled. */
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
  // tap's own hook, which is the next, notes which files a process has loaded
  const { source } = await next(url, { ...context, format: 'module' })
  return { format: 'module', source: compiled(fileURLToPath(url), String(source)), shortCircuit: true }
}
