/**
 * Makes of what is built what is published: JavaScript without comments and source maps, and only the declarations that
 * the public types lead to. The declarations keep the doc comments, which editors show. This takes half of the size, and
 * code and stacks stay as readable: the compiler only erases types.
 *
 * npm runs it before it packs. The next build makes everything again (`postpack`).
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

/** @param root - folder of the package */
export function prepack(root) {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const declarations = new Set()
  for (const { types } of Object.values(exports)) if (types !== undefined) follow(path.join(root, types), declarations)
  for (const folder of ['src', 'workers']) {
    const built = path.join(root, 'dist', folder)
    for (const name of readdirSync(built, { recursive: true })) {
      const file = path.join(built, name)
      const source = path.join(root, folder, name.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts'))
      if (name.endsWith('.js') && existsSync(source)) replace(file, withoutComments(file))
      else if (path.extname(name) !== '' && !declarations.has(file)) rmSync(file)
    }
  }
}

/** Finds the declarations that one leads to. */
function follow(file, found) {
  if (found.has(file)) return
  found.add(file)
  for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles)
    if (fileName.startsWith('.')) follow(path.join(path.dirname(file), fileName.replace(/\.js$/, '.d.ts')), found)
}

function withoutComments(file) {
  const { ESNext: module } = ts.ModuleKind
  const compilerOptions = { allowJs: true, removeComments: true, target: ts.ScriptTarget.ESNext, module }
  return ts.transpileModule(readFileSync(file, 'utf8'), { fileName: file, compilerOptions }).outputText
}

/** Replaces a file as a whole, as programs may load it meanwhile. */
function replace(file, text) {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}

if (import.meta.filename === process.argv[1]) prepack(path.resolve(import.meta.dirname, '..'))
