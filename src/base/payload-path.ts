/** Steps from a payload to a part of it: names of fields, and places in lists. */
export type Steps = readonly (string | number)[]

/** A name that can stand behind a dot. */
const WORD = /^[A-Za-z_$][\w$]*$/

/** Most characters of a name, and steps of a path, that a message shows. */
const LONGEST_NAME = 60

const MOST_STEPS = 20

/** Path of a part of a payload, like `user.tags[2]`; the empty text for the payload itself. */
export function pathText(steps: Steps): string {
  return steps.reduce<string>(
    (path, step) => path + (path === '' ? stepText(step).replace(/^\./, '') : stepText(step)),
    '',
  )
}

/** Path of a part of a payload for a message, like `payload.user.tags[2]`: short, and without control characters. */
export function shownPath(steps: Steps, root = 'payload'): string {
  const shown = steps.slice(0, MOST_STEPS).map((step) => stepText(typeof step === 'string' ? cut(step) : step))
  return `${root}${shown.join('')}${steps.length > MOST_STEPS ? '\u2026' : ''}`
}

function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`
  return WORD.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
}

function cut(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}\u2026` : name
}

/**
 * Steps to the first part of a payload that cannot be read, as its getter or proxy throws; `undefined` when all can be
 * read. It is for the message of an error that has happened.
 */
export function unreadablePart(payload: unknown): Steps | undefined {
  const seen = new Set<object>()
  const look = (value: unknown, steps: Steps): Steps | undefined => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
    seen.add(value)
    let names: string[]
    try {
      Object.getPrototypeOf(value)
      names = Object.keys(value)
    } catch {
      return steps
    }
    const isList = Array.isArray(value)
    for (const name of names) {
      const inner = [...steps, isList ? Number(name) : name]
      let part: unknown
      try {
        part = (value as { readonly [name: string]: unknown })[name]
      } catch {
        return inner
      }
      const found = look(part, inner)
      if (found !== undefined) return found
    }
    return undefined
  }
  try {
    return look(payload, [])
  } catch {
    return undefined // it is nested too deeply to look
  }
}
