import { inspect } from 'node:util'
import { fileURLToPath } from 'node:url'
import { shownPath } from '../../config/find-config.js'
import { tableLines } from '../links/link-text.js'
import type { EffectiveConfig, EffectiveValue } from './effective.js'

/** Number of links that a line names. */
const SHOWN = 5

/** The effective configuration as lines of text. */
export function configText({ file, profile, modules, options, links }: EffectiveConfig): string[] {
  const head = [
    `configuration   ${file ?? 'no file'}${profile === null ? '' : `, profile ${profile}`}`,
    ...(modules.value.length === 0 ? ['link modules    none'] : modules.value.map(moduleLine)),
  ]
  const rows = Object.entries(options).map(([option, value]) => [option, shownValue(value), originText(value)])
  const table = tableLines([['option', 'value', 'from'], ...rows])
  if (links.length === 0) return [...head, '', ...table]
  const overrides = links.map(({ pattern, settings, from, links }) => [pattern, text(settings), from, named(links)])
  return [...head, '', ...table, '', ...tableLines([['links', 'settings', 'from', 'which are'], ...overrides])]

  function moduleLine(url: string, at: number): string {
    return `${at === 0 ? 'link modules' : ''}`.padEnd(16) + `${shownPath(fileURLToPath(url))}   ${originText(modules)}`
  }
}

function shownValue({ value, from }: EffectiveValue): string {
  return from === 'default' ? String(value) : text(value)
}

function text(value: unknown): string {
  return inspect(value, { breakLength: Infinity, depth: 6 })
}

function originText({ from, name }: EffectiveValue): string {
  return name === '' ? from : name
}

function named(links: readonly string[]): string {
  if (links.length === 0) return 'none'
  const more = links.length > SHOWN ? `, and ${links.length - SHOWN} more` : ''
  return `${links.slice(0, SHOWN).join(', ')}${more}`
}
