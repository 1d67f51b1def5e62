/** Objects that hold more than their fields show are told from others by the source of their classes. */
import t from 'tap'
import { hiddenStateOf } from '../../src/base/hidden-state.js'

/** Makes a class of source as it is, which a compiler could change. */
function classOf(source: string): { readonly prototype: object } {
  return (0, eval)(`(${source})`) as { readonly prototype: object }
}

t.test('a class without private fields is ordinary, whatever else has a hash sign in it', (t) => {
  const sources = [
    'class Invoice { constructor(n) { this.n = n } get label() { return `Invoice #${this.n} #n ${`#${this.n}`}` } }',
    'class Color { css() { return `color: #fff;` } }',
    'class Colors { hex = /#[0-9a-f]{6}/; is(text) { return /[/"#a]#b/.test(text) } }',
    `class Quotes { cut(text) { return text.replace(/'/g, '') + "#abc" } }`,
    'class Counted { static #n = 0; static async *#m() {} constructor() { Counted.#n++ } }',
    'class Commented { a = 1 /* #b */ // #c\n }',
    'class Named { privateAddress() { return this.classPrivate } }',
  ]
  for (const source of sources) t.equal(hiddenStateOf(classOf(source).prototype), undefined, source)
  t.end()
})

t.test('a class with private fields is known, whatever stands before them', (t) => {
  const sources = [
    'class A { #a = 1 }',
    'class A { #$ = 1 }',
    'class A { static #n = 0; #a = 1 }',
    'class A { static async = 1; #a = 2 }',
    'class A { get() { return `${this.#a}` } #a = 1 }',
    `class A { quote = /["']/; #a = 1 }`,
    `class A { get() { return /'/ } static k = "it's"; #a = 5 }`,
    'class A { #a() {} }',
    'class A { constructor() { __privateAdd(this, a, 1) } }',
    'function A() { __classPrivateFieldSet(this, a, 1) }',
    'function A() { _classPrivateFieldInitSpec(this, a, 1) }',
    'function A() { _class_private_field_init(this, a, 1) }',
  ]
  for (const source of sources) t.equal(hiddenStateOf(classOf(source).prototype), 'private', source)
  t.equal(hiddenStateOf(classOf('class B extends class A { #a = 1 } {}').prototype), 'private')
  t.equal(hiddenStateOf(Map.prototype), 'native')
  t.end()
})
