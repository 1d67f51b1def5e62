/** Compiles TypeScript by erasing its types, without checks, and keeps the result in a cache. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { threadId } from 'node:worker_threads'

const ROOT = path.join(import.meta.dirname, '../..')
const CACHE = path.join(ROOT, 'node_modules/.cache/databay-tests')
const require = createRequire(import.meta.url)

/** Version of the cache: another one when the same source compiles to something else. */
const VERSION = `2 ${require('typescript/package.json').version}`

/**
 * Gives a file's JavaScript, with its source map, compiled unless the cache has it. The cache keeps one version of each
 * file. Processes and threads may ask for the same file at the same time.
 *
 * @param folder - folder of the cache
 */
export function compiled(file, source, folder = CACHE) {
  const kept = path.join(folder, `${path.relative(ROOT, file).replaceAll(path.sep, '+')}.js`)
  const head = `// ${createHash('sha1').update(`${VERSION}\0${source}`).digest('hex')}\n`
  try {
    const text = readFileSync(kept, 'utf8')
    if (text.startsWith(head)) return text.slice(head.length)
  } catch {
    // not compiled yet
  }
  const text = compile(file, source)
  mkdirSync(folder, { recursive: true })
  const made = `${kept}.${process.pid}.${threadId}.tmp`
  writeFileSync(made, head + text)
  renameSync(made, kept)
  return text
}

function compile(file, source) {
  // large, and rarely needed
  const ts = require('typescript')
  const { outputText } = ts.transpileModule(source, {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  })
  return outputText
}
