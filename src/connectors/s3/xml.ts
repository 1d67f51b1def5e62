import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** An element of the XML of S3. */
export class Xml {
  readonly #element: XmlElement

  constructor(element: XmlElement) {
    this.#element = element
  }

  /** Name of the element. */
  get name(): string {
    return this.#element.name
  }

  /** Text of the first element with a name in this one; `undefined` when there is none. */
  text(name: string): string | undefined {
    const [first] = this.all(name)
    return first === undefined ? undefined : first.#element.text
  }

  /** Elements with a name in this one, in order. */
  all(name: string): Xml[] {
    return this.#element.children.filter((child) => isElement(child, name)).map((child) => new Xml(child as XmlElement))
  }
}

function isElement(child: unknown, name: string): boolean {
  return child instanceof XmlElement && child.name === name
}

/** Root element of a document; `undefined` when the text is no XML, as with the page of a proxy. */
export function readXml(text: string): Xml | undefined {
  try {
    const { root } = parseXml(text.trimStart())
    return root === null ? undefined : new Xml(root)
  } catch {
    return undefined
  }
}

/** A text as it stands in XML. Control characters, which XML cannot hold, are not for here. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
