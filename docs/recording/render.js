/** Makes a moving picture, `run.svg`, of the recording in `run.cast`: `node docs/recording/render.js`. With `-` it is printed. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const CHARACTER = 7.8
const LINE = 20
const MARGIN = 20
const BAR = 34
/** Seconds for which the end is shown, before it begins again. */
const PAUSE = 5
const COLORS = { 31: '#ff7b72', 33: '#e3b341', 36: '#76e3ea', 90: '#8b949e' }

const read = readFileSync(join(import.meta.dirname, 'run.cast'), 'utf8')
  .trimEnd()
  .split('\n')
const [header, ...events] = read.map((line) => JSON.parse(line))

/** Lines of the screen over time, as spans: what is in which line, in which colour, from when to when. */
function spansOf() {
  const spans = [{ row: 0, text: `$ ${header.title}`, from: 0, to: Infinity }]
  const rows = ['']
  let color
  let column = 0
  let shown = []
  for (const [time, , output] of events) {
    for (const [token, code] of output.matchAll(/\u001b\[([\d;]*)[A-Za-z]|[^]/gu)) {
      const line = rows.at(-1)
      if (token === '\n') rows.push('')
      if (token === '\n' || token === '\r') column = 0
      else if (token === '\u001b[2K') rows[rows.length - 1] = ''
      else if (token === '\u001b[K') rows[rows.length - 1] = line.slice(0, column)
      else if (/^\u001b.*m$/.test(token)) color = COLORS[code]
      else if (!token.startsWith('\u001b')) {
        rows[rows.length - 1] = line.padEnd(column).slice(0, column) + token + line.slice(++column)
        colors.set(`${rows.length}:${column}`, color)
      }
    }
    const now = rows.map((text, index) => ({ row: index + 1, text, colored: coloredOf(index + 1, text) }))
    shown = [...rows.keys()].map((index) => {
      const before = shown[index]
      if (before?.text === now[index].text) return before
      if (before !== undefined) before.to = time
      const span = { ...now[index], from: time, to: Infinity }
      spans.push(span)
      return span
    })
  }
  const end = events.at(-1)[0]
  spans.push({ row: rows.length, text: '$ ', from: end, to: Infinity })
  return { spans: spans.filter(({ text, from, to }) => text.trim() !== '' && to > from), end: end + PAUSE }
}

const colors = new Map()

/** Text of a line as SVG, the coloured parts as elements of their own. */
function coloredOf(row, text) {
  let result = ''
  let open
  for (const [index, character] of [...text].entries()) {
    const color = colors.get(`${row}:${index + 1}`)
    if (color !== open)
      result += `${open === undefined ? '' : '</tspan>'}${color === undefined ? '' : `<tspan fill="${color}">`}`
    open = color
    result += escaped(character)
  }
  return open === undefined ? result : `${result}</tspan>`
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const { spans, end } = spansOf()
const width = Math.ceil(header.width * CHARACTER + 2 * MARGIN)
const height = BAR + LINE * (Math.max(...spans.map(({ row }) => row)) + 1) + MARGIN
const percent = (time) => `${Math.min(100, (100 * time) / end).toFixed(2)}%`

const styles = []
const lines = spans.map(({ row, text, colored, from, to }, index) => {
  const isLast = to === Infinity
  const isFirst = from === 0
  if (!(isFirst && isLast)) {
    const before = isFirst ? '' : `0%,${percent(from - 0.001)}{opacity:0}`
    const after = isLast ? '' : `${percent(to)},100%{opacity:0}`
    const during = `${percent(from)},${percent(isLast ? end : to - 0.001)}{opacity:1}`
    styles.push(`@keyframes f${index}{${before}${during}${after}}#f${index}{animation-name:f${index}}`)
  }
  const place = `x="${MARGIN}" y="${BAR + LINE * (row + 1)}" textLength="${(text.length * CHARACTER).toFixed(1)}"`
  const prompt = text.startsWith('$') ? `<tspan fill="#7ee787">$</tspan>${escaped(text.slice(1))}` : colored
  return `<text id="f${index}" class="t${isLast ? '' : ' gone'}" ${place} xml:space="preserve">${prompt}</text>`
})

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(header.title)}</title>
<style>
.t{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;animation-duration:${end.toFixed(2)}s;animation-iteration-count:infinite;animation-timing-function:step-end}
.gone{opacity:0}
${styles.join('\n')}
@media (prefers-reduced-motion:reduce){.t{animation-name:none !important}}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9" fill="#0d1117" stroke="#30363d"/>
<circle cx="20" cy="18" r="5.5" fill="#ff5f57"/><circle cx="38" cy="18" r="5.5" fill="#febc2e"/><circle cx="56" cy="18" r="5.5" fill="#28c840"/>
${lines.join('\n')}
</svg>
`
if (process.argv[2] === '-') process.stdout.write(svg)
else writeFileSync(join(import.meta.dirname, 'run.svg'), svg)
