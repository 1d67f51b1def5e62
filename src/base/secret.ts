import { inspect } from 'node:util'
import { InvalidOptionError } from './errors.js'
import { HIDDEN_TEXT, hideValue } from './scrub.js'

const BRAND = Symbol.for('databay.Secret')

const values = new WeakMap<Secret, string>()

/**
 * Value that is shown nowhere: as text, as JSON, in logs and in a debugger's view it is `***`. A copy of it, such as
 * `{ ...secret }` or one in another thread, has no value. {@link Secret.reveal} gives the value. Errors, logs and reports
 * hide it wherever it comes up.
 */
export class Secret {
  /**
   * Takes the value of a secret that comes from elsewhere than the environment, such as a vault. {@link secret} reads those
   * of the environment.
   *
   * @throws {@link InvalidOptionError} that does not show the value
   */
  constructor(value: string) {
    if (!isFilled(value)) throw new InvalidOptionError('Secret', 'a string that is not empty', typeof value)
    hideValue(value)
    values.set(this, value)
  }

  /** The value. Give it to what needs it, and keep it nowhere. */
  reveal(): string {
    const value = values.get(this)
    if (value === undefined) throw new Error('a secret was copied: only the secret itself has its value')
    return value
  }

  /** Makes a secret of this one, such as of a field of the JSON document that it is. Errors of `make` do not show it. */
  map(make: (value: string) => string): Secret {
    let made: unknown
    try {
      made = make(this.reveal())
    } catch (thrown) {
      // the error of a parser quotes what it could not parse
      throw new Error(
        `a secret cannot be mapped: the function threw ${nameOf(thrown)}, whose message may show the secret`,
      )
    }
    if (!isFilled(made)) {
      throw new InvalidOptionError('Secret.map', 'a function that gives a string that is not empty', typeof made)
    }
    hideValue(made, true)
    return holding(made)
  }

  toString(): string {
    return HIDDEN_TEXT
  }

  toJSON(): string {
    return HIDDEN_TEXT
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN_TEXT
  }

  /** @internal Tells a secret of another copy of this package from other objects. */
  get [BRAND](): true {
    return true
  }
}

// apart from the class: its types would lead to those of Node
Object.defineProperty(Secret.prototype, inspect.custom, { value: () => HIDDEN_TEXT, configurable: true })

/** A text, or a secret that reveals one. */
export type SecretText = string | Secret

/** Whether a value is a secret, of this or of another copy of this package. */
export function isSecret(value: unknown): value is Secret {
  if (value instanceof Secret) return true
  return typeof value === 'object' && value !== null && (value as { readonly [BRAND]?: unknown })[BRAND] === true
}

/** The value of a secret, and anything else as it is. */
export function revealed<T>(value: T | Secret): T | string {
  return isSecret(value) ? value.reveal() : value
}

/** Tag of a template with secrets in it: gives the text as one secret, such as ``secret.text`Bearer ${token}` ``. */
export function secretText(parts: TemplateStringsArray, ...inserted: readonly (SecretText | number)[]): Secret {
  return compose(parts, inserted, (value) => value)
}

/**
 * Tag of a template of a URL with secrets in it, which are percent-encoded, such as
 * ``secret.url`mongodb://app:${password}@db.example.com/shop` ``.
 */
export function secretUrl(parts: TemplateStringsArray, ...inserted: readonly (SecretText | number)[]): Secret {
  let before = ''
  for (const [at, one] of inserted.entries()) {
    before += parts[at] ?? ''
    const value = String(revealed(one))
    const behind = parts.slice(at + 1).join('x')
    if (isHostPlace(before, behind) && /[:,@[\]?#]/.test(value)) {
      const expected = 'a user, a password or another part of a URL that is percent-encoded'
      const hint =
        'insert a host and its port each on its own, or write the URL with secret.text, which encodes nothing'
      throw new InvalidOptionError('secret.url', expected, 'a host with a port, or a URL (not shown)', { hint })
    }
    before += 'x'
  }
  return compose(parts, inserted, encodeURIComponent)
}

/** Whether what stands between two texts of a URL is its host, or its beginning: no part that is percent-encoded. */
function isHostPlace(before: string, behind: string): boolean {
  if (before === '') return true
  const [, authority] = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)$/i.exec(before) ?? []
  if (authority === undefined) return false
  return authority.includes('@') || !/^[^/?#]*@/.test(behind)
}

function compose(
  parts: TemplateStringsArray,
  inserted: readonly (SecretText | number)[],
  encode: (value: string) => string,
): Secret {
  const texts = inserted.map((one) => {
    const value = revealed(one)
    if (typeof value === 'string' || typeof value === 'number') return encode(String(value))
    throw new InvalidOptionError('secret', 'a template of secrets, strings and numbers', typeof value)
  })
  // what is secret of it is hidden already, the rest may be shown
  return holding(String.raw({ raw: parts }, ...texts))
}

/** A secret with a value whose parts are hidden already. */
function holding(value: string): Secret {
  const made = Object.create(Secret.prototype) as Secret
  values.set(made, value)
  return made
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : `something of type ${typeof thrown}`
}
