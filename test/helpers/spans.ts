import { existsSync, readFileSync } from 'node:fs'

/** A span as `test/fixtures/sdk.mjs` writes it. */
export interface WrittenSpan {
  readonly name: string
  readonly scope: string
  readonly id: string
  readonly trace: string
  readonly parent?: string
  readonly attributes: { readonly [name: string]: unknown }
  readonly status: { readonly code: number; readonly message?: string }
  readonly events: readonly { readonly name: string; readonly attributes?: { readonly [name: string]: unknown } }[]
}

/** Names of spans with those of the spans that lie in them, in the order of their beginnings. */
export type SpanTree = readonly [name: string, ...inner: SpanTree[]]

/** Code of a module for `threadSetup`: an SDK with the instrumentations of undici and mongodb, whose spans go into a file. */
export function sdkModule(file: string): string {
  return `import { appendFileSync } from 'node:fs'
    import { registerInstrumentations } from '@opentelemetry/instrumentation'
    import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb'
    import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
    import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
    const exporter = {
      export(spans, done) {
        for (const span of spans) {
          const { name, attributes, status, events, startTime } = span
          const { spanId: id, traceId: trace } = span.spanContext()
          const parent = span.parentSpanContext?.spanId
          const scope = span.instrumentationScope.name
          const at = startTime[0] * 1e6 + startTime[1] / 1e3
          appendFileSync(${JSON.stringify(file)}, JSON.stringify({ name, scope, id, trace, parent, attributes, status, events, at }) + '\\n')
        }
        done({ code: 0 })
      },
      shutdown: async () => {},
    }
    // nothing is written before the thread ends
    const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 1e6, maxExportBatchSize: 1000, maxQueueSize: 2000 })
    const provider = new NodeTracerProvider({ spanProcessors: [processor] })
    provider.register()
    registerInstrumentations({ instrumentations: [new UndiciInstrumentation(), new MongoDBInstrumentation()] })
    export const shutdown = () => provider.shutdown()`
}

/** Spans in a file. */
export function readSpans(file: string): (WrittenSpan & { readonly at: number })[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as WrittenSpan & { at: number }).sort((one, other) => one.at - other.at)
}

/** Trees of spans: those that lie in no other first. */
export function treesOf(spans: readonly WrittenSpan[], parent?: string): SpanTree[] {
  const below = spans.filter((span) => span.parent === parent)
  return below.map((span) => [span.name, ...treesOf(spans, span.id)])
}
