import { scrub } from '../../base/scrub.js'

/** Kind of a metric of Prometheus. */
export type MetricType = 'counter' | 'gauge' | 'histogram'

/** Content type of {@link Exposition}. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Text in the exposition format of Prometheus, 0.0.4: metric by metric, each with its help and type, and its samples. */
export class Exposition {
  #text = ''
  readonly #blocks: Buffer<ArrayBuffer>[] = []

  /** Begins a metric. */
  metric(name: string, type: MetricType, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  }

  /**
   * Adds a sample of the metric that was begun last.
   *
   * @param name - name of the metric, and for a histogram a suffix
   * @param labels - as {@link labelsText} gives them; empty for none
   */
  sample(name: string, labels: string, value: number): void {
    this.#text += `${name}${labels} ${value}\n`
  }

  /** Adds a metric of one sample without labels. */
  single(name: string, type: MetricType, help: string, value: number): void {
    this.metric(name, type, help)
    this.sample(name, '', value)
  }

  /** Adds what another text has: a block that need not be written each time. */
  block(block: Buffer<ArrayBuffer>): void {
    if (this.#text !== '') this.#blocks.push(Buffer.from(this.#text))
    this.#text = ''
    this.#blocks.push(block)
  }

  /** The text as bytes. */
  bytes(): Buffer<ArrayBuffer> {
    const rest = Buffer.from(this.#text)
    return this.#blocks.length === 0 ? rest : Buffer.concat([...this.#blocks, rest])
  }
}

/** Labels of a sample, without secrets, and with what their values must not have escaped. */
export function labelsText(labels: { readonly [name: string]: string }): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(scrub(value))}"`)
  return `{${pairs.join(',')}}`
}

const SPECIAL = /[\\"\n]/

function escaped(value: string): string {
  if (!SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
