/**
 * Writes the tables of options in the pages of docs/, from the docstrings and types of the options: `npm run docs`.
 * With `--check` it writes nothing, and fails when a page is stale.
 *
 * A page has a table where it says `<!-- options: LinkOptions -->`, up to `<!-- end of options -->`; with `only` behind the
 * name, without inherited options.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { argv, stderr } from 'node:process'
import { format, resolveConfig } from 'prettier'
import ts from 'typescript'

const docs = import.meta.dirname
const root = join(docs, '..')
/** Most characters of a cell. */
const CELL = 100

const TABLE = /(<!-- options: (\w+)( only)? -->\n)[^]*?(<!-- end of options -->)/g

const { options } = ts.parseJsonConfigFileContent({ extends: './tsconfig.json', files: [] }, ts.sys, root)
const program = ts.createProgram([join(root, 'src/index.ts')], { ...options, noEmit: true, composite: false })
const checker = program.getTypeChecker()
const index = checker.getSymbolAtLocation(program.getSourceFile(join(root, 'src/index.ts')))
const exported = new Map(checker.getExportsOfModule(index).map((symbol) => [symbol.name, symbol]))

/** The options of an exported interface: what its own declaration says, then what it inherits. */
function optionsOf(name, ownOnly) {
  const symbol = exported.get(name)
  if (symbol === undefined) throw new Error(`src/index.ts exports no ${name}`)
  const properties = checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol)).getProperties()
  return properties.filter((one) => !ownOnly || one.declarations[0].parent.name.text === name).map(rowOf)
}

function rowOf(property) {
  // of an option that several parts of a type declare, the first one says it
  const [declaration] = property.declarations
  const text = ts.displayPartsToString(property.getDocumentationComment(checker))
  const [meaning = ''] = /^[^]*?[.](?=\s|$)/.exec(text.replaceAll(/\s+/g, ' ')) ?? [text]
  if (meaning === '') throw new Error(`${declaration.getSourceFile().fileName}: ${property.name} has no docstring`)
  return {
    name: property.name,
    type: typeOf(declaration),
    default: defaultOf(property),
    meaning: shortened(meaning.replaceAll(/\{@link ([\w.]+)\}/g, '`$1`').replace(/\.$/, '')),
  }
}

/** A sentence that fits into a cell: as far as a colon, a semicolon or a comma allows. */
function shortened(sentence) {
  if (sentence.length <= CELL) return sentence
  const ends = [...sentence.matchAll(/[:;]\s/g), ...sentence.matchAll(/,?\s\(|,\s/g)].map(({ index }) => index)
  const end = ends.find((one) => one <= CELL && isClosed(sentence.slice(0, one)))
  if (end === undefined) throw new Error(`a docstring's first sentence is longer than ${CELL} characters: ${sentence}`)
  return sentence.slice(0, end)
}

/** Whether every parenthesis and backtick in a text is closed. */
function isClosed(text) {
  return (text.match(/`/g)?.length ?? 0) % 2 === 0 && text.split('(').length === text.split(')').length
}

/**
 * The type as it is declared. A name for a few words is shown as these words. Type parameters of the options stand for what
 * they have to be, or for anything.
 */
function typeOf(declaration) {
  const words = wordsOf(checker.getTypeFromTypeNode(declaration.type))
  if (ts.isTypeReferenceNode(declaration.type) && words !== undefined) return words
  const text = declaration.type.getText().replaceAll(/\s+/g, ' ')
  return (declaration.parent.typeParameters ?? []).reduce((type, { name, constraint }) => {
    return type.replaceAll(new RegExp(`\\b${name.text}\\b`, 'g'), constraint?.getText() ?? 'unknown')
  }, text)
}

/** The words that a type stands for, as in `'stop' | 'retry'`; `undefined` for other types, and for many words. */
function wordsOf(type) {
  if (!type.isUnion() || type.types.length > 5 || !type.types.every((one) => one.isStringLiteral())) return undefined
  return type.types.map(({ value }) => `'${value}'`).join(' | ')
}

/** The default that its docstring gives; without one, those of its own fields, or none. */
function defaultOf(property) {
  const tag = property.getJsDocTags(checker).find(({ name }) => name === 'default')
  if (tag !== undefined) return ts.displayPartsToString(tag.text ?? []).replaceAll(/\s+/g, ' ')
  const fields = checker.getNonNullableType(checker.getTypeOfSymbol(property)).getProperties()
  const given = fields.filter((field) => field.getJsDocTags(checker).some(({ name }) => name === 'default'))
  return given.length === 0 ? '' : `{ ${given.map((field) => `${field.name}: ${defaultOf(field)}`).join(', ')} }`
}

/** A default begins with code, and may go on in words: `undefined - none`. */
function shownDefault(text) {
  if (text === '') return ''
  const [, code, words] = /^(.*?)((?: - |, or | for | with | when ).*)?$/s.exec(text)
  return /^[a-z]+ [a-z]/.test(code) ? text : `\`${code.replaceAll('`', '')}\`${words ?? ''}`
}

function tableOf(name, ownOnly) {
  const cell = (text) => text.replaceAll('|', '\\|')
  const rows = optionsOf(name, ownOnly).map(
    (option) =>
      `| \`${option.name}\` | \`${cell(option.type)}\` | ${cell(shownDefault(option.default))} | ${cell(option.meaning)} |`,
  )
  return ['', '| option | type | default | meaning |', '| --- | --- | --- | --- |', ...rows, '', ''].join('\n')
}

let stale = 0
for (const page of readdirSync(docs, { recursive: true }).filter((name) => name.endsWith('.md'))) {
  const path = join(docs, page)
  const before = readFileSync(path, 'utf8')
  const written = before.replaceAll(
    TABLE,
    (_, begin, name, only, end) => `${begin}${tableOf(name, only !== undefined)}${end}`,
  )
  const after = await format(written, { ...(await resolveConfig(path)), filepath: path })
  if (after === before) continue
  stale++
  if (argv.includes('--check')) stderr.write(`${relative(root, path)} is stale: run npm run docs\n`)
  else writeFileSync(path, after)
}
if (stale > 0 && argv.includes('--check')) process.exitCode = 1
