/** Compares the page on troubleshooting with the code: error codes, and messages that it quotes. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { sources } from './house.js'

const root = resolve(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
const textOf = (folders: string[]) =>
  sources(root, folders)
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
const code = textOf(['src', 'workers'])
/** Tests quote messages that the code puts together. */
const said = [code, textOf(['test/connectors', 'test/core'])].join('\n')

/** Messages that are not ours. */
const FOREIGN = ['Cannot use import statement outside a module', 'Cannot find module']

t.test('every error code has a section, and no others', async (t) => {
  const codes = new Set(code.match(/(?<=static (?:override )?readonly code(?:: string)? = ')DATABAY_\w+/g))
  t.ok(codes.size > 20)
  const sections = [...page.matchAll(/^### (DATABAY_\w+)\n\n[A-Z]/gm)].map(([, name]) => name)
  t.same(sections, [...codes].sort())
  const named = new Set(code.match(/(?<=')DATABAY_[A-Z0-9_]+(?=')/g))
  t.same(
    [...named].filter((name) => !codes.has(name)),
    [],
    'all codes are those of error classes',
  )
})

t.test('messages that are quoted are those of the code', async (t) => {
  const headings = [...page.matchAll(/^### `([^`]+)`$/gm)].map(([, text = '']) => text)
  const items = [...page.matchAll(/^- `([^`]+)`[:,](?: `([^`]+)`:)?/gm)].flatMap(([, ...texts]) => texts)
  const inText = [...page.matchAll(/`((?:…|the time|computes|cannot)[^`]{10,})`/g)].map(([, text]) => text)
  const messages = [...headings, ...items, ...inText].filter((text) => text !== undefined && !FOREIGN.includes(text))
  t.ok(messages.length > 14, `${messages.length} messages`)
  for (const message of messages) {
    for (const part of message?.replaceAll('\n', ' ').split('…') ?? []) {
      t.ok(said.includes(part.trim()), `${message}: ${part}`)
    }
  }
})

t.test('the contents lead to all sections', async (t) => {
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)
  const listed = [...page.matchAll(/^- \[(.*)\]\(#/gm)].map(([, title]) => title)
  t.same(listed, titles)
})
