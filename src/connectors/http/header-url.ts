/**
 * URL that a header gives, with all bytes of other letters than those of ASCII escaped, as browsers do it. The text of a
 * header has a character for each byte: undici gives it so from version 7.20 on.
 */
export function urlInHeader(text: string): string {
  return text.replaceAll(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
}
