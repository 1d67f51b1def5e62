/** Variables of an environment, by their names. */
export interface Environment {
  readonly [name: string]: string | undefined
}

/** Environment of the process, which says how servers are reached: by which proxies, and whom to trust. */
export function environment(): Environment {
  return process.env
}
