/** Names of links, each once, to label what is measured of them: links that share a name are numbered, such as `orders#2`. */
export function linkLabels(links: readonly { readonly link: string }[]): string[] {
  const seen = new Map<string, number>()
  const all = new Set(links.map(({ link }) => link))
  if (all.size === links.length) return [...all]
  return links.map(({ link }) => {
    for (;;) {
      const times = (seen.get(link) ?? 0) + 1
      seen.set(link, times)
      if (times === 1) return link
      const name = `${link}#${times}`
      if (all.has(name)) continue
      all.add(name)
      return name
    }
  })
}
