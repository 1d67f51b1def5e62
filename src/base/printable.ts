/** Characters that move the cursor, end a line, send a terminal escape sequence, or change the direction of what follows. */
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const NAMED: { readonly [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * A text for one line of a terminal or a readable log: control characters are shown as escapes such as `\n` or `\x1b`, so
 * that no message, name or tag can forge a line or send an escape sequence.
 */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, escaped)
}

/** A text of several lines, such as a stack, made printable line by line. All lines but the first are indented. */
export function printableLines(text: string): string {
  const lines = text.split('\n').map(printable)
  return lines.map((line, at) => (at === 0 || line.startsWith(' ') ? line : `  ${line}`)).join('\n')
}

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  return NAMED[character] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
