import type { ExportedLink } from './link-module.js'

/** The links of a module, by their export and place in it. */
export type LinksByName = ReadonlyMap<string, ExportedLink>
