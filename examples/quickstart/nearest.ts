/** Event as far as the distance between two events needs it. */
export interface Shock {
  readonly id: string
  /** Time of the event, in milliseconds since 1970. */
  readonly time: number
  readonly magnitude: number
  readonly latitude: number
  readonly longitude: number
}

/** Earlier event, and its distance. */
export interface Neighbour {
  readonly id: string
  /** Decimal logarithm of the distance eta. */
  readonly logEta: number
  /** Kilometres between the epicentres. */
  readonly kilometres: number
  /** Years between the events. */
  readonly years: number
}

/** Fractal dimension of epicentres, and slope of the magnitude-frequency relation, as Zaliapin & Ben-Zion set them. */
const FRACTAL_DIMENSION = 1.6
const B_VALUE = 1

/** Least distance of epicentres, in kilometres: they are not known better, and events at one spot must not be 0 apart. */
const LOCATION_ERROR = 0.1

const YEAR = 365.25 * 24 * 3_600_000
const EARTH_RADIUS = 6371

/**
 * Finds the nearest predecessors of an event in space, time and magnitude.
 *
 * The distance from an earlier event i of magnitude m to an event j is `eta = t * r^df * 10^(-b m)`, with `t` the years
 * and `r` the kilometres between them: near is what is close, soon after, and after a strong event. Clusters such as
 * aftershocks show as small distances.
 *
 * - M. Baiesi, M. Paczuski (2004), Scale-free networks of earthquakes and aftershocks, Phys. Rev. E 69, 066106
 * - I. Zaliapin, Y. Ben-Zion (2013), Earthquake clusters in southern California I: Identification and stability,
 *   J. Geophys. Res. Solid Earth 118, 2847-2864
 *
 * @param catalogue - events, in any order; only earlier ones count
 * @param k - number of predecessors to give
 * @returns the predecessors, the nearest first
 */
export function nearestPredecessors(event: Shock, catalogue: Iterable<Shock>, k: number): Neighbour[] {
  const nearest: Neighbour[] = []
  for (const earlier of catalogue) {
    if (earlier.time >= event.time) continue
    const years = (event.time - earlier.time) / YEAR
    const kilometres = distance(event, earlier)
    const logEta = logDistance(years, kilometres, earlier.magnitude)
    if (nearest.length === k && logEta >= (nearest.at(-1)?.logEta ?? Infinity)) continue
    const at = nearest.findIndex((other) => logEta < other.logEta)
    nearest.splice(at === -1 ? nearest.length : at, 0, { id: earlier.id, logEta, kilometres, years })
    if (nearest.length > k) nearest.pop()
  }
  return nearest
}

function logDistance(years: number, kilometres: number, magnitude: number): number {
  const apart = Math.max(kilometres, LOCATION_ERROR)
  return Math.log10(years) + FRACTAL_DIMENSION * Math.log10(apart) - B_VALUE * magnitude
}

/** Kilometres along the great circle (haversine formula). */
export function distance(
  a: { readonly latitude: number; readonly longitude: number },
  b: { readonly latitude: number; readonly longitude: number },
): number {
  const halfLatitude = Math.sin(radians(b.latitude - a.latitude) / 2)
  const halfLongitude = Math.sin(radians(b.longitude - a.longitude) / 2)
  const h =
    halfLatitude * halfLatitude +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * halfLongitude * halfLongitude
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(h)))
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
