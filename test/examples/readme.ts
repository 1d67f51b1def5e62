import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { MAIN } from '../helpers/command.js'

// `npm test` builds first
const root = fileURLToPath(new URL('../../', import.meta.url))

/** Command of examples/README.md, with the output that the page shows. */
export interface Shown {
  readonly title: string
  readonly command: string
  readonly output: string
}

/** Commands of examples/README.md. */
export const shown: readonly Shown[] = sections(readFileSync(path.join(root, 'examples/README.md'), 'utf8'))

function sections(readme: string): Shown[] {
  return readme.split(/^## /m).flatMap((section) => {
    const title = section.slice(0, section.indexOf('\n'))
    const blocks = section.matchAll(/```sh\n([^\n]+)\n```\n\n```text\n(.*?)```/gs)
    return [...blocks].map(([, command = '', output = '']) => ({ title, command, output }))
  })
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** Runs the commands that the README shows under a title, one after another. Each must exit with 0. */
export async function runShown(t: Test, title: string, surroundings: Surroundings = {}): Promise<Ended[]> {
  const commands = shown.filter((one) => one.title === title)
  t.ok(commands.length > 0, `the README shows a command for ${title}`)
  const results: Ended[] = []
  for (const { command, output } of commands) {
    const ended = await run(t, command, surroundings)
    t.equal(ended.code, 0, `${command}\n${ended.stderr}`)
    t.same(shape(ended.stdout + ended.stderr), shape(output), `${command}: the README shows output of this shape`)
    results.push(ended)
  }
  return results
}

/** Runs a command line as a user would in the root of the repository: `NAME=value npx databay run dist/…`. */
export async function run(t: Test, line: string, { env = {}, cwd = root }: Surroundings = {}): Promise<Ended> {
  const words = line
    .replace('npx databay', 'node databay')
    .split(' ')
    .map((word) => (word === 'databay' ? MAIN : word.startsWith('dist/') ? path.join(root, word) : word))
  const start = words.indexOf('node')
  const settings = Object.fromEntries(words.slice(0, start).map((word) => word.split('=') as [string, string]))
  const child = spawn(process.execPath, words.slice(start + 1), { cwd, env: { ...process.env, ...settings, ...env } })
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/**
 * Gives the lines of an output without what differs from run to run: numbers, names of test databases, the order of the two
 * streams, how many dots a test runner prints, and what is only there on a slow machine.
 */
function shape(output: string): string[] {
  return output
    .trimEnd()
    .replaceAll(/^\.+$(\n^\.+$)*/gm, '...')
    .split('\n')
    .filter((line) => !line.includes('|W|') && !line.endsWith(' threads busy'))
    .map((line) => line.replace(/, \d+ due times? missed$/, '').replace(/then [\d-]+ /, 'then '))
    .map((line) => line.replaceAll(/test_[0-9a-f]{12}/g, 'databay').replaceAll(/\d+(\.\d+)?/g, '#'))
    .sort()
}
