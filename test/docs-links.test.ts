/** Checks that links in Markdown files lead to files and titles that there are. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { markdownFiles, root } from './helpers/pages.js'

const read = (path: string) => readFileSync(path, 'utf8').replaceAll(/^ *```.*?^ *```$/gms, '')

/** Anchors of the titles of a text, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, title = ''] of text.matchAll(/^#+ (.*)$/gm)) {
    const words = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = words.replaceAll(/[^\p{Letter}\p{Number}_\s-]/gu, '').replaceAll(' ', '-')
    let copies = 0
    let unique = anchor
    while (anchors.has(unique)) unique = `${anchor}-${++copies}`
    anchors.add(unique)
  }
  return anchors
}

/** Targets of links and pictures in a text, but those on other hosts. */
function targetsOf(text: string): string[] {
  const prose = text.replaceAll(/`[^`\n]*`/g, '')
  const inline = [...prose.matchAll(/\]\(\s*([^)\s]+)(?:\s+"[^"]*")?\)/g)]
  const html = [...prose.matchAll(/(?:src|srcset|href)="([^"\s]+)"/g)]
  const named = [...prose.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)]
  return [...inline, ...html, ...named].map(([, target = '']) => target).filter((one) => !/^[a-z]+:/.test(one))
}

for (const page of markdownFiles()) {
  t.test(page, async (t) => {
    const path = join(root, page)
    for (const target of targetsOf(read(path))) {
      const [file = '', anchor] = target.split('#')
      const to = file === '' ? path : resolve(dirname(path), file)
      t.ok(existsSync(to), target)
      if (anchor !== undefined && existsSync(to)) t.ok(anchorsOf(read(to)).has(anchor), target)
    }
  })
}

t.test('a link that leads nowhere is found', async (t) => {
  t.same(targetsOf('[a](b.md#c) ![d](e.svg "f") `[no](g)` <img src="h.svg"> https://x.test [i](https://j.test)'), [
    'b.md#c',
    'e.svg',
    'h.svg',
  ])
  t.same([...anchorsOf('# What: `it` is\n## Twice\n## Twice\n')], ['what-it-is', 'twice', 'twice-1'])
})
