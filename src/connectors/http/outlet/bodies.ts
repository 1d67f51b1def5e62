import { Buffer } from 'node:buffer'
import { InvalidPayloadError } from '../../../core/partial-push.js'
import type { Record } from '../../../core/record.js'
import { isPlain, jsonText, lineText } from '../../json-text.js'
import { checkWhole, formText } from './form-text.js'
import { mayHaveBody } from '../methods.js'
import type { HttpOutletSettings } from './outlet-settings.js'

/** Body of a request; `null` for none. */
export type Body = string | Uint8Array | null

const OUTLET = 'HttpOutlet'

/** Settings by which bodies are made. */
export type BodySettings = Pick<HttpOutletSettings, 'send' | 'format' | 'body' | 'serialize'>

/**
 * Text of a payload, as it stands in the body of a request.
 *
 * @throws {@link InvalidPayloadError}
 */
export function payloadText({ send, format, serialize }: BodySettings, payload: unknown): string {
  switch (format) {
    case 'json':
      return jsonText(OUTLET, payload, serialize)
    case 'ndjson':
      return `${jsonText(OUTLET, payload, serialize)}\n`
    case 'form':
      return formText(OUTLET, payload, serialize)
    case 'text': {
      const text = lineText(OUTLET, payload, serialize)
      checkWhole(OUTLET, text)
      if (send === 'record') return text
      if (!/[\r\n]/.test(text)) return `${text}\n`
      throw new InvalidPayloadError(`${OUTLET}: a payload has a line end, so it would be two lines`)
    }
  }
}

/** Whether a payload is plain data of a list in JSON, which is written at once. */
export function isWrittenTogether({ send, format, serialize }: BodySettings, payload: unknown): boolean {
  return send === 'batch' && format === 'json' && serialize === undefined && isPlain(payload, 0)
}

/** Body of the texts of payloads. */
export function joined({ send, format }: BodySettings, texts: readonly string[]): string {
  if (send === 'record') return texts[0] ?? ''
  return format === 'json' ? `[${texts.join(',')}]` : texts.join('')
}

/**
 * Body that the option `body` makes of records; `null` for a method that has none.
 *
 * @throws {@link InvalidPayloadError}, or what the option throws
 */
export function chosenBody(settings: BodySettings, method: string, records: readonly Record[]): Body {
  const { send, format, body, serialize } = settings
  if (!mayHaveBody(method, true)) return null
  const payloads = records.map(({ payload }) => payload)
  const made: unknown = body?.(send === 'record' ? payloads[0] : payloads, records)
  if (made === null || made instanceof Uint8Array) return made
  if (typeof made === 'string') {
    checkWhole(OUTLET, made)
    return made
  }
  if (made === undefined || (typeof made === 'object' && 'then' in made)) {
    throw new InvalidPayloadError(`${OUTLET}: body() gave ${made === undefined ? 'nothing' : 'a promise'}`)
  }
  if (format === 'ndjson' && Array.isArray(made)) {
    return made.map((line) => `${jsonText(OUTLET, line, serialize)}\n`).join('')
  }
  return payloadText({ ...settings, send: 'record' }, made)
}

/** Number of bytes of a body. */
export function sizeOf(body: Body): number {
  return body === null ? 0 : Buffer.byteLength(body)
}
