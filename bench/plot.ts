import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as echarts from 'echarts'
import type { Measurement } from './bench.js'
import { isFile } from './chart-path.js'

/** Bench as far as it is drawn. */
export interface Drawn {
  readonly name: string
  readonly question: string
  readonly measurements: readonly Measurement[]
}

const WIDTH = 1100
/** Sizes in pixels. */
const [BAR, GAP, HEAD] = [14, 14, 90]
/** Ratio of the greatest value to the least from which on an axis is logarithmic. */
const WIDE = 50

/**
 * Writes charts as SVG: one for each bench, with a part for each of its figures.
 *
 * @param path - an `.svg` file when there is one bench, or a folder
 * @returns paths of the files that were written
 */
export function plot(path: string, benches: readonly Drawn[]): string[] {
  if (!isFile(path)) {
    mkdirSync(path, { recursive: true })
    return benches.flatMap((bench) => plot(join(path, `${bench.name}.svg`), [bench]))
  }
  const [bench, another] = benches
  if (bench === undefined) return []
  if (another !== undefined) throw new Error(`${basename(path)} holds one bench only: give a folder`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, draw(bench))
  return [path]
}

function draw({ name, question, measurements }: Drawn): string {
  const figures = unique(measurements.map(({ figure }) => figure))
  const subjects = unique(measurements.map(({ subject }) => subject))
  const parts: Part[] = []
  let top = HEAD
  for (const figure of figures) {
    const some = measurements.filter((one) => one.figure === figure)
    const part = { top, measurements: some, cases: unique(some.map((one) => one.case)) }
    parts.push(part)
    top += heightOf(part) + HEAD
  }
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: top })
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: [
      { text: `${name}: ${question}`, left: 10, top: 8, textStyle: { fontSize: 16 } },
      ...parts.map(({ top, measurements }) => ({
        text: `${measurements[0]?.figure ?? ''}, ${measurements[0]?.unit ?? ''}`,
        ...{ left: 10, top: top - 28, textStyle: { fontSize: 13 } },
      })),
    ],
    legend: { top: 34, data: subjects },
    grid: parts.map((part) => ({ left: 420, right: 40, top: part.top, height: heightOf(part) })),
    xAxis: parts.map((part, gridIndex) => ({ gridIndex, type: isWide(part) ? 'log' : 'value' })),
    yAxis: parts.map(({ cases }, gridIndex) => ({
      ...{ gridIndex, type: 'category', inverse: true, data: cases },
      axisLabel: { width: 400, overflow: 'break' },
    })),
    series: parts.flatMap(({ cases, measurements }, part) =>
      subjects
        .filter((subject) => measurements.some((one) => one.subject === subject))
        .map((subject) => ({
          ...{ type: 'bar', name: subject, xAxisIndex: part, yAxisIndex: part },
          data: cases.map(
            (name) => measurements.find((one) => one.case === name && one.subject === subject)?.median ?? null,
          ),
        })),
    ),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

interface Part {
  readonly top: number
  readonly measurements: readonly Measurement[]
  readonly cases: readonly string[]
}

function heightOf({ measurements, cases }: Part): number {
  const subjects = new Set(measurements.map(({ subject }) => subject)).size
  return cases.length * (subjects * BAR + GAP)
}

function isWide({ measurements }: Part): boolean {
  const medians = measurements.map(({ median }) => median)
  const least = Math.min(...medians)
  return least > 0 && Math.max(...medians) / least > WIDE
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
