/** Abbreviations that the feed uses. */
const ABBREVIATIONS: ReadonlyMap<string, string> = new Map([
  ['CA', 'California'],
  ['MX', 'Mexico'],
])

/**
 * Finds the region in a feed's description of a place:
 *
 * | place | region |
 * |---|---|
 * | `10km SSW of Idyllwild, CA` | `California` |
 * | `32km W of Raton, New Mexico` | `New Mexico` |
 * | `Off the east coast of the North Island of New Zealand` | `New Zealand` |
 * | `Gulf of Alaska` | `Gulf of Alaska` |
 * | (none) | `Unknown` |
 */
export function regionOf(place: string | null): string {
  const text = (place ?? '').trim()
  const comma = text.lastIndexOf(',')
  const name = (comma === -1 ? withoutDirections(text) : text.slice(comma + 1))
    .replace(/ region$/i, '')
    .replace(/^\s*the /i, '')
    .trim()
  return ABBREVIATIONS.get(name) ?? (name === '' ? 'Unknown' : name)
}

/** Finds the region in a description such as `South of the Fiji Islands`. `Gulf of Alaska` is a name. */
function withoutDirections(text: string): string {
  return text.replace(/^(?:\d+ ?km|off|near|(?:north|south)?(?:east|west)|north|south)\b.*\bof /i, '')
}

/**
 * Makes the name of a region's CSV file. The feed can say anything; the name has only letters a to z, digits and dashes.
 */
export function fileOf(region: string): string {
  const slug = region
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mark}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '')
  return `${slug === '' ? 'unknown' : slug}.csv`
}
