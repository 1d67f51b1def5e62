import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { shownPath } from '../../config/find-config.js'
import { tableLines } from '../links/link-text.js'
import type { EffectiveConfig, EffectiveValue } from './effective.js'

/** Number of links that a line names. */
const SHOWN = 5

/** Most characters of a value: `--json` has all of it. */
const MOST_CHARACTERS = 60

/** The effective configuration as lines of text. */
export function configText({ file, profile, modules, options, links }: EffectiveConfig): string[] {
  const urls = modules.value.map((url) => [shownPath(fileURLToPath(url)), originText(modules, file, profile)])
  const head = [
    ['configuration', file ?? 'no file', profile === null ? '' : `profile ${profile}`],
    ...(urls.length === 0 ? [['', 'none', '']] : urls).map((row, at) => [at === 0 ? 'link modules' : '', ...row]),
  ]
  const rows = Object.entries(options).map(([option, value]) => [
    option,
    text(value.value),
    originText(value, file, profile),
  ])
  const table = tableLines([['option', 'value', 'from'], ...rows])
  if (links.length === 0) return [...tableLines(head), '', ...table]
  const overrides = links.map(({ pattern, settings, from, links }) => [pattern, text(settings), from, named(links)])
  const tableOfLinks = tableLines([['links', 'settings', 'from', 'which are'], ...overrides])
  return [...tableLines(head), '', ...table, '', ...tableOfLinks]
}

function text(value: unknown): string {
  if (value === null) return 'none'
  if (typeof value === 'string') return value // a path, which is of no use when it is cut
  const text = inspect(value, { breakLength: Infinity, depth: 6 })
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}\u2026` : text
}

function originText({ from, name }: EffectiveValue, file: string | null, profile: string | null): string {
  if (from === 'file') return file ?? from
  return from === 'profile' ? `profile ${profile ?? ''}` : name === '' ? from : name
}

function named(links: readonly string[]): string {
  if (links.length === 0) return 'none'
  const more = links.length > SHOWN ? `, and ${links.length - SHOWN} more` : ''
  return `${links.slice(0, SHOWN).join(', ')}${more}`
}
