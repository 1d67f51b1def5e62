import { shownPath } from '../../../base/payload-path.js'
import { InvalidPayloadError } from '../../../core/partial-push.js'
import { jsonText } from '../../json-text.js'
import { parseJson } from '../../parse-json.js'
import type { Serialize } from '../../serialize.js'

/**
 * Text of a payload as fields of a form. A list gives its field several times, `null` is empty, and other values are written as in
 * JSON.
 *
 * @param outlet - name of the outlet, for the error
 * @throws {@link InvalidPayloadError} on a part that would be lost, or become another value
 */
export function formText(outlet: string, payload: unknown, serialize?: Serialize): string {
  // as JSON first: what it refuses, or writes otherwise, is the same in all formats
  const fields = parseJson(jsonText(outlet, payload, serialize), 'bigint')
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new InvalidPayloadError(`${outlet}: a payload cannot be a form: it is not an object`)
  }
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof one === 'object' && one !== null) {
        throw new InvalidPayloadError(
          `${outlet}: a payload cannot be a form: ${shownPath([name])} holds an object: make it a text, or use the option body`,
        )
      }
      const text = one === null ? '' : Object.is(one, -0) ? '-0' : String(one)
      checkWhole(outlet, name)
      checkWhole(outlet, text)
      form.append(name, text)
    }
  }
  return form.toString()
}

/**
 * Checks that UTF-8 has all of a text.
 *
 * @throws {@link InvalidPayloadError}
 */
export function checkWhole(outlet: string, text: string): void {
  if (text.isWellFormed()) return
  throw new InvalidPayloadError(`${outlet}: a payload has half of a surrogate pair, which UTF-8 does not have`)
}
