/** Finds the programs of a page of the docs, writes them to files, compiles them against the real types, and runs them. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../..')

/** Path of the built command. */
export const databay = join(root, 'dist/src/cli/main.js')

/** Code blocks of a page that begin with the name of a file, as in `// links.js`, by that name. */
export function programsOf(text: string): Map<string, string> {
  const blocks = text.matchAll(/```(?:js|ts)\n\/\/ (\S+\.(?:js|ts))\n(.*?)```/gs)
  return new Map([...blocks].map(([, name = '', code = '']) => [name, code]))
}

/** Writes programs into a folder, each as it is and as JavaScript. */
export function write(folder: string, programs: ReadonlyMap<string, string>): void {
  for (const [name, code] of programs) {
    writeFileSync(join(folder, name), code)
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    })
    writeFileSync(join(folder, name.replace(/ts$/, 'js')), outputText)
  }
}

/** Compiles TypeScript files in a folder. Gives the complaints of the compiler, each with its line. */
export function problemsOf(folder: string, names: readonly string[]): string[] {
  const files = names.map((name) => join(folder, name))
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true, // as Node wants it, which strips types and no more
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  })
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 2
    return `${file?.fileName.slice(folder.length) ?? ''}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

/** Runs Node in a folder, without the environment variables of tap. */
export function node(cwd: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, args, { cwd, env: { ...env, ...more } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}
