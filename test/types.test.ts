import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const config = fileURLToPath(new URL('tsconfig.json', import.meta.url))
const directory = fileURLToPath(new URL('types/', import.meta.url))

t.test('links, nodes and records that fit compile, and those that do not do not', async (t) => {
  const { options } = ts.getParsedCommandLineOfConfigFile(config, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
    },
  })!
  const files = readdirSync(directory).map((name) => directory + name)
  const program = ts.createProgram(files, options)
  for (const file of files) {
    const source = program.getSourceFile(file)!
    const complaints = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    const text = ts.formatDiagnostics(complaints, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => directory,
      getNewLine: () => '\n',
    })
    t.equal(text, '')
    // a case that compiles and should not is a complaint too, about an unused @ts-expect-error
    t.match(source.text, /^\/\/ @ts-expect-error /m)
  }
})
