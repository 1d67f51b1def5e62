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
