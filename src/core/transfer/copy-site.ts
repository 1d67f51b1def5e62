/** Copies a plain object, its parts by `copyPart`; `undefined` when that gives `undefined` for one. */
export type CopyObject = (value: object, copyPart: CopyPart, site?: CopySite) => object | undefined

type CopyPart = (part: object, site: CopySite | undefined) => object | undefined

/** Number of objects after which a site gets a function of its own. */
const MANY = 1000
/** Most functions of a thread: each takes some kilobytes, and a millisecond until it is fast. */
const MOST_FUNCTIONS = 256
/** Most named parts of a site: an object whose names are data has any number of them. */
const MOST_PARTS = 16

let functions = 0

/**
 * Place at which objects are copied that are mostly alike: the payloads of an outlet, or a named part of those.
 *
 * V8 makes a function fast for the few shapes of objects that it meets. One function for all payloads of a thread meets too
 * many: a spread of 30 fields takes 490 ns there, and 40 ns in a function that meets one shape. So each site that copies much
 * has a function of its own, made of the text of the common one. Where the process forbids to make functions of text
 * (`--disallow-code-generation-from-strings`), all sites use the common one.
 */
export class CopySite {
  /** Copies an object at this site. */
  copy: CopyObject

  readonly #common: CopyObject
  readonly #parts = new Map<string, CopySite>()
  /** Number of objects until the site gets a function of its own. */
  #missing = MANY

  /** @param common - the function for all sites: it needs nothing but its parameters */
  constructor(common: CopyObject) {
    this.#common = common
    this.copy = common
  }

  /** Takes note of objects that are about to be copied here. */
  note(objects: number): void {
    if (this.#missing <= 0 || (this.#missing -= objects) > 0) return
    this.#specialize()
  }

  /** Site of a named part of the objects here; `undefined` while this one has no function of its own. */
  at(name: string): CopySite | undefined {
    if (this.copy === this.#common) return undefined
    const site = this.#parts.get(name)
    return site === undefined && this.#parts.size < MOST_PARTS ? this.#add(name) : site
  }

  #add(name: string): CopySite {
    const site = new CopySite(this.#common)
    site.#specialize()
    this.#parts.set(name, site)
    return site
  }

  #specialize(): void {
    this.#missing = 0
    if (functions >= MOST_FUNCTIONS) return
    functions++
    this.copy = copyOf(this.#common)
  }
}

/** A function of the same text, about which V8 learns separately. */
function copyOf(common: CopyObject): CopyObject {
  try {
    // the text is that of our own function: nothing of the data is in it. It ends in a number, as V8 keeps what it compiles:
    // functions of one text would share what it has learned
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const own = (new Function(`return ${common.toString()} // ${functions}`) as () => CopyObject)()
    // a bundler may have put something from around it into the text
    own({ a: {} }, (part) => part)
    return own
  } catch {
    return common
  }
}
