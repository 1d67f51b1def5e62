import jsTokens from 'js-tokens'

/** What compilers to older JavaScript call for a private field. */
const COMPILED = /^_+(?:classPrivate|class_private|private(?:Get|Set|Add|Method|In)(?![a-z]))/

/** Tokens that may stand between `static` and a private name. */
const BETWEEN = new Set(['static', 'async', 'get', 'set', 'accessor', '*'])

const BLANK = new Set(['WhiteSpace', 'LineTerminatorSequence', 'MultiLineComment', 'SingleLineComment'])

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/

/** Classes whose instances hold more than their fields show. */
export type HiddenState = 'private' | 'native'

const known = new WeakMap<object, HiddenState | 'none'>()

/**
 * Whether objects with this prototype hold more than their fields show, which would be lost where only fields are taken
 * over. `private`: one of their classes has private fields, as `URL` does. `native`: they are made by the engine, such
 * as a Map or a Promise. `undefined`: all that they hold is in their fields, as far as the source of their classes tells.
 */
export function hiddenStateOf(prototype: object | null): HiddenState | undefined {
  if (prototype === null || prototype === Object.prototype) return undefined
  let state = known.get(prototype)
  if (state === undefined) {
    state = look(prototype) ?? 'none'
    known.set(prototype, state)
  }
  return state === 'none' ? undefined : state
}

function look(prototype: object): HiddenState | undefined {
  const next = Object.getPrototypeOf(prototype) as object | null
  // the prototype of all plain objects, also of another realm
  if (next === null) return undefined
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (made === undefined) return hiddenStateOf(next)
  if (typeof made !== 'function') return 'native'
  const source = Function.prototype.toString.call(made)
  if (NATIVE.test(source)) return 'native'
  if (hasPrivateFields(source)) return 'private'
  return hiddenStateOf(next)
}

/** Whether instances of a class have private fields or methods, by its source. Those of the class itself do not count. */
function hasPrivateFields(source: string): boolean {
  const [names, ofClass] = [new Set<string>(), new Set<string>()]
  let isStatic = false
  for (const { type, value } of jsTokens(source)) {
    if (BLANK.has(type)) continue
    if (type === 'IdentifierName' && COMPILED.test(value)) return true
    if (type === 'PrivateIdentifier') (isStatic ? ofClass : names).add(value)
    isStatic = value === 'static' || (isStatic && BETWEEN.has(value))
  }
  return [...names].some((name) => !ofClass.has(name))
}

/**
 * Whether an object has more than its own fields: values in its prototype, or no fields though it is of a class. Its class
 * has no {@link hiddenStateOf | hidden state}.
 */
export function inheritsData(value: object): boolean {
  let prototype = Object.getPrototypeOf(value) as object | null
  const root = prototype === null || Object.getPrototypeOf(prototype) === null
  if (root) return false
  if (Object.keys(value).length === 0) return true
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
    for (const { enumerable, value: part } of Object.values(Object.getOwnPropertyDescriptors(prototype)))
      if (enumerable === true && part !== undefined && typeof part !== 'function') return true
  }
  return false
}

/**
 * Name of a field that was put on a value whose data is not in fields, such as a list, a date or a boxed text, and that
 * is lost with it; `undefined` when there is none.
 */
export function fieldBeside(value: object): string | undefined {
  return Object.keys(value).find((name) => !/^\d+$/.test(name))
}
