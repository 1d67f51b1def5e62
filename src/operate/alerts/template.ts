import { InvalidOptionError } from '../../base/errors.js'
import { isSecret, type Secret } from '../../base/secret.js'
import { hintAt } from '../../base/suggestion.js'
import type { AlertMessage } from './alert-message.js'

/** Data in whose texts placeholders such as `{text}` stand for parts of a message. */
export type AlertTemplate =
  string | number | boolean | null | Secret | readonly AlertTemplate[] | { readonly [name: string]: AlertTemplate }

/** What placeholders stand for. */
const PLACEHOLDERS: { readonly [name: string]: (message: AlertMessage) => string } = {
  text: ({ text }) => text,
  status: ({ status }) => status,
  title: ({ title }) => title,
  links: ({ alerts }) => [...new Set(alerts.map(({ link }) => link ?? 'the planner'))].join(', '),
  time: ({ time }) => time,
  host: ({ host }) => host,
}

const PLACEHOLDER = /\{([a-zA-Z]+)\}/g

/**
 * Checks the body of a webhook.
 *
 * @throws {@link InvalidOptionError} for an unknown placeholder
 */
export function checkTemplate<T extends AlertTemplate | ((message: AlertMessage) => unknown)>(
  name: string,
  body: T | undefined,
): T | undefined {
  if (body !== undefined && typeof body !== 'function') check(name, body, 0)
  return body
}

function check(name: string, value: unknown, depth: number): void {
  if (typeof value === 'string') {
    for (const [all, placeholder = ''] of value.matchAll(PLACEHOLDER)) {
      if (Object.hasOwn(PLACEHOLDERS, placeholder)) continue
      const known = Object.keys(PLACEHOLDERS)
      const expected = `the placeholders ${known.map((one) => `{${one}}`).join(', ')}`
      throw new InvalidOptionError(name, expected, all, { hint: hintAt(placeholder, known) })
    }
    return
  }
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || isSecret(value)) return
  if (typeof value !== 'object' || depth > 20) {
    throw new InvalidOptionError(name, 'plain data, or a function that gives it', typeof value)
  }
  for (const [key, one] of Object.entries(value)) check(`${name}.${key}`, one, depth + 1)
}

/** A template with the parts of a message in it. Secrets are revealed. */
export function fillTemplate(template: unknown, message: AlertMessage): unknown {
  if (typeof template === 'string') {
    return template.replaceAll(PLACEHOLDER, (all, name: string) => PLACEHOLDERS[name]?.(message) ?? all)
  }
  if (isSecret(template)) return template.reveal()
  if (Array.isArray(template)) return template.map((one: unknown) => fillTemplate(one, message))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([name, one]) => [name, fillTemplate(one, message)]))
}
