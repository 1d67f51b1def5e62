/**
 * Pages of the documentation as tests see them. A code block that begins with a comment with the name of a file, as in
 * `// links.js`, is a program. `docs-programs.test.ts` compiles the programs of all pages at once, and checks what is told
 * to be typed into a shell. To run the programs of a page, its test calls {@link testPage}, which fails when one was not run.
 */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { text as textOf } from 'node:stream/consumers'
import type { Test } from 'tap'
import { databay, node, write } from './programs.js'

export const root = resolve(import.meta.dirname, '../..')

/** Code block of a page. */
export interface Block {
  /** What stands behind the opening ticks: `js`, `sh`, `text`, … */
  readonly language: string
  /** Text between the ticks, without the indentation of a list, and without the comment that names its file. */
  readonly code: string
  /** Name of the file in its first line, if it begins with one. */
  readonly name: string | undefined
  /** Line of its opening ticks. */
  readonly line: number
  /** Title that the block stands under. */
  readonly section: string
}

/** Paths of all Markdown files of the project, from its root. */
export function markdownFiles(): string[] {
  const folders = ['docs', 'examples', 'bench']
  const within = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  return [...readdirSync(root), ...within].filter((name) => name.endsWith('.md')).sort()
}

/** Code blocks of a Markdown text. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let section = ''
  let open: { indent: string; language: string; line: number; lines: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent = '', language] = /^( *)```(\w*)$/.exec(line) ?? []
    if (open === undefined) {
      if (language !== undefined) open = { indent, language, line: index + 1, lines: [] }
      else section = /^#+ (.*)$/.exec(line)?.[1] ?? section
    } else if (language !== '' || indent !== open.indent) {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line)
    } else {
      const [first = '', ...rest] = open.lines
      const name = /^(?:\/\/|#) ([\w./-]+\.[a-z]+)$/.exec(first)?.[1]
      const code = (name === undefined ? open.lines : rest).map((one) => `${one}\n`).join('')
      blocks.push({ language: open.language, line: open.line, section, name, code })
      open = undefined
    }
  }
  return blocks
}

/** Whether a code block is JavaScript or TypeScript, however its language is spelt. */
export function isProgram({ language }: Block): boolean {
  return /^([cm]?[jt]sx?|javascript|typescript)$/.test(language)
}

/** Page of the documentation, of whose programs it is known which have run. */
export class Page {
  readonly text: string
  readonly blocks: readonly Block[]
  /** Programs of the page, by the names of their files. */
  readonly programs: ReadonlyMap<string, string>
  /** Names of the programs that have not run yet. */
  readonly idle: Set<string>

  /** @param path - from the root of the project */
  constructor(path: string) {
    this.text = readFileSync(join(root, path), 'utf8')
    this.blocks = blocksOf(this.text)
    this.programs = new Map(
      this.blocks.flatMap(({ name, code, ...block }) =>
        name !== undefined && isProgram({ name, code, ...block }) ? [[name, code] as const] : [],
      ),
    )
    this.idle = new Set(this.programs.keys())
  }

  /**
   * Makes a folder with all programs of the page, those in TypeScript also as JavaScript.
   *
   * @param changes - what a test has to change in a program, such as the address of a server
   * @param files - further files, by their names
   */
  folder(
    t: Test,
    changes: { readonly [name: string]: (code: string) => string } = {},
    files: { readonly [name: string]: string } = {},
  ): string {
    const folder = t.testdir(files)
    for (const name of Object.keys(changes)) {
      if (!this.programs.has(name)) throw new Error(`the page has no program ${name}`)
    }
    const changed = [...this.programs].map(([name, code]) => {
      const after = changes[name]?.(code) ?? code
      if (changes[name] !== undefined && after === code) throw new Error(`nothing was changed in ${name}`)
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      return [name, after] as const
    })
    write(folder, new Map(changed))
    return folder
  }

  /**
   * Runs `databay …` or `node …` in a folder of programs, as in `databay run links.js --once`.
   *
   * @returns exit code, standard output and standard error
   */
  run(folder: string, line: string, env: NodeJS.ProcessEnv = {}) {
    const [command, ...args] = line.split(' ')
    this.hasRun(...args)
    return node(folder, command === 'databay' ? [databay, ...args] : args, env)
  }

  /** Imports a program from a folder of programs. */
  async load(folder: string, name: string): Promise<unknown> {
    this.hasRun(name)
    return (await import(pathToFileURL(join(folder, name)).href)) as unknown
  }

  /** Notes that these programs, and those that they import, were run by a test. */
  hasRun(...names: readonly string[]): void {
    for (const name of [...this.idle]) {
      const spellings = [name, name.replace(/ts$/, 'js')]
      if (!names.some((one) => spellings.includes(one))) continue
      this.idle.delete(name)
      const imported = this.programs.get(name)?.matchAll(/'\.\/([\w./-]+)'/g) ?? []
      this.hasRun(...Array.from(imported, ([, one = '']) => one))
    }
  }

  /**
   * Does in an empty folder what a section says, block by block: writes its files, types its commands into a shell, where
   * `npx databay` is the built command, and compares a `text` block with what the commands before it have printed.
   */
  async follow(t: Test, section: string): Promise<string> {
    const blocks = this.blocks.filter((block) => block.section === section)
    if (blocks.length === 0) throw new Error(`no code stands under ${section}`)
    const folder = t.testdir({ bin: {} })
    writeFileSync(join(folder, 'bin/npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${databay}' "$@"\n`)
    chmodSync(join(folder, 'bin/npx'), 0o755)
    let printed = ''
    for (const block of blocks) {
      if (block.name !== undefined) {
        writeFileSync(join(folder, block.name), block.code)
        this.hasRun(block.name)
      } else if (block.language === 'sh') {
        printed = await this.#type(t, folder, block.code)
      } else if (block.language === 'text') {
        t.equal(withoutNumbers(printed), withoutNumbers(block.code), `what is printed, line ${block.line}`)
      }
    }
    return folder
  }

  async #type(t: Test, folder: string, commands: string): Promise<string> {
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, PATH = '', ...env } = process.env
    const shell = spawn('sh', ['-ec', `exec 2>&1\n${commands}`], {
      cwd: folder,
      env: { ...env, PATH: [join(folder, 'bin'), PATH].join(delimiter) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const code = new Promise((resolve) => shell.on('close', resolve))
    const printed = await textOf(shell.stdout)
    t.equal(await code, 0, printed)
    return printed
  }
}

/** A text in which each number and time is `#`, and columns are one space apart. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(/(\d{4}-\d\d-\d\d )?\d+([.:,-]\d+)*/g, '#').replaceAll(/ {2,}/g, ' ')
}

/** Tests a page of the documentation: every program on it has to run in the body. */
export function testPage(t: Test, path: string, body: (t: Test, page: Page) => Promise<void>): void {
  void t.test(path, async (t) => {
    const page = new Page(path)
    await body(t, page)
    t.test('every program of the page was run', async (t) => {
      t.same([...page.idle], [])
    })
  })
}
