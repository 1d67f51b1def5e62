/** Runs the first example of the README as it stands, in an empty folder. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './consumer.js'

const SECTION = /^## A first link\n(.*?)(?=^## )/ms
const BLOCK = /^```(\w+)\n(.*?)^```$/gms

export async function runFirstExample(consumer) {
  const section = SECTION.exec(readFileSync(path.join(ROOT, 'README.md'), 'utf8'))?.[1]
  if (section === undefined) throw new Error('the README has no section "A first link"')
  let commands = 0
  let output = ''
  for (const [, language, text] of section.matchAll(BLOCK)) {
    const file = /^(?:\/\/|#) ([\w./-]+\.\w+)\n/.exec(text)?.[1]
    if (language === 'sh') {
      output = await consumer.run(`set -e\n${text}`)
      commands++
    } else if (language === 'text') compare(output, text)
    else if (file !== undefined) consumer.write({ [file]: text })
  }
  if (commands < 2) throw new Error(`expected commands in the section "A first link", found ${commands}`)
}

/** Each shown line must have been printed; times and numbers with a unit, and due times, differ from run to run. */
function compare(printed, shown) {
  const plain = (text) =>
    text
      .replaceAll(/\d+:\d\d:\d\d/g, 'TIME')
      .replaceAll(/\d+(\.\d+)? (ms|s|min|us)\b/g, 'DURATION')
      .split('\n')
      .map((line) => line.trim().replaceAll(/ +/g, ' '))
  const lines = plain(printed)
  const missing = plain(shown).filter((line) => !lines.includes(line))
  if (missing.length > 0) throw new Error(`the README shows\n${missing.join('\n')}\nbut this was printed:\n${printed}`)
}
