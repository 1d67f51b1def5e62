import { InvalidOptionError } from '../base/errors.js'
import type { PlannedLink } from '../core/planned-link.js'
import { moduleUrl } from '../threads/protocol/module-url.js'

/** What a planner with threads takes as links: live ones, and URLs or paths of link modules. */
export type LinkOrModule = PlannedLink | URL | string

export function isWithin(links: readonly PlannedLink[], known: ReadonlySet<PlannedLink>): boolean {
  return links.every((link) => known.has(link))
}

export function divide(links: readonly LinkOrModule[]): { live: PlannedLink[]; modules: string[] } {
  const live: PlannedLink[] = []
  const modules: string[] = []
  links.forEach((link, index) => {
    if (!(typeof link === 'string' || link instanceof URL)) {
      live.push(link)
      return
    }
    const url = moduleUrl(`links[${index}]`, link)
    if (modules.includes(url)) throw new InvalidOptionError(`links[${index}]`, 'each link module once', url)
    modules.push(url)
  })
  return { live, modules }
}
