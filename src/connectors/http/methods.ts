/** Methods that have the same effect when they are called twice. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Whether a method has the same effect when it is called twice. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** Methods of requests without a body. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Whether requests of a method have a body. Many servers refuse one with DELETE.
 *
 * @param isChosen - whether somebody has chosen a body for it
 */
export function mayHaveBody(method: string, isChosen: boolean): boolean {
  return !WITHOUT_BODY.has(method) && (method !== 'DELETE' || isChosen)
}
