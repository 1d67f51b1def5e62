/** Checks the code blocks of all pages: programs compile against the types, have a test, and commands are commands. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { parseCommandLine } from '../src/cli/program.js'
import { FakeStream } from './helpers/command.js'
import { isProgram, markdownFiles, Page, root, type Block } from './helpers/pages.js'
import { problemsOf, write } from './helpers/programs.js'

interface Package {
  readonly scripts: { readonly [name: string]: string }
  readonly peerDependencies: { readonly [name: string]: string }
}

const { scripts, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package

/** Blocks of code that no test runs, by their pages and how they begin, and why. */
const NOT_RUN = [
  {
    path: 'docs/from-python.md',
    language: 'python',
    count: 3,
    why: 'programs of databay for Python, to be compared with',
  },
  {
    path: 'docs/from-node-cron-and-bree.md',
    language: 'javascript',
    count: 2,
    why: 'programs of node-cron and bree, which are not installed',
  },
  {
    path: 'CONTRIBUTING.md',
    language: 'ts',
    count: 4,
    why: 'lines of examples of options and events that there are not',
  },
] as const

const pages = new Map(
  markdownFiles()
    .filter((path) => path !== 'CONTRIBUTING.md')
    .map((path) => [path, new Page(path)]),
)

t.test('no table has a long cell', async (t) => {
  for (const [path, { text }] of pages) {
    // the figures of the benches are written by a program
    if (path.startsWith('bench/')) continue
    const rows = text.split('\n').filter((line) => line.startsWith('|') && !/^[|\s-]*$/.test(line))
    const cells = rows.flatMap((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    t.same(
      cells.filter(({ length }) => length > 100),
      [],
      path,
    )
  }
})

t.test('every JavaScript and TypeScript block begins with the name of its file', async (t) => {
  for (const [path, { blocks }] of pages) {
    const isExcepted = ({ language }: Block) => NOT_RUN.some((one) => one.path === path && one.language === language)
    const nameless = blocks.filter((block) => isProgram(block) && block.name === undefined && !isExcepted(block))
    t.same(
      nameless.map(({ line, code }) => `${path}:${line} ${code.split('\n')[0]}`),
      [],
    )
  }
})

t.test('blocks of code in other languages, or of sources, are those that are known not to run', async (t) => {
  const known = new Map<string, number>(NOT_RUN.map(({ path, language, count }) => [`${path} ${language}`, count]))
  const found = new Map<string, number>()
  // what is no code: commands, output and files of other programs, each with tests of its own
  const others = ['', 'sh', 'text', 'json', 'ini', 'yaml', 'dockerfile']
  for (const path of markdownFiles()) {
    for (const block of new Page(path).blocks) {
      if (others.includes(block.language) || (isProgram(block) && block.name !== undefined)) continue
      const kind = `${path} ${block.language}`
      found.set(kind, (found.get(kind) ?? 0) + 1)
    }
  }
  t.same([...found].sort(), [...known].sort())
})

t.test('every page with programs has a test that runs them', async (t) => {
  const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const tests = names.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n')
  for (const [path, { programs }] of pages) {
    const folder = /^(docs\/.*)\//.exec(path)?.[1] ?? path
    if (programs.size > 0) t.ok(tests.includes(`'${path}'`) || tests.includes(`'${folder}'`), path)
  }
})

t.test('the programs of all pages compile against the types', async (t) => {
  const folder = t.testdir({})
  const files: string[] = []
  for (const [path, { programs }] of pages) {
    // JavaScript is looked at as strictly, but for what is declared without a type
    const typed = [...programs].map(([name, code]) => [name.replace(/js$/, 'ts'), code] as const)
    mkdirSync(join(folder, path), { recursive: true })
    write(join(folder, path), new Map(typed))
    for (const [name] of typed) files.push(join(path, name))
  }
  t.ok(files.length > 20)
  const isJavaScript = (problem: string) => {
    const [, path = '', name = ''] = /^\/(.*)\/([^/]+?)ts:/.exec(problem) ?? []
    return pages.get(path)?.programs.has(`${name}js`) === true
  }
  const problems = problemsOf(folder, files)
  const isUntyped = /implicitly has an 'any' type/
  t.same(
    problems.filter((problem) => !(isJavaScript(problem) && isUntyped.test(problem))),
    [],
  )
})

/** Commands of other programs, which are not looked at. */
const OTHERS = [
  'cat',
  'cd',
  'curl',
  'docker',
  'echo',
  'git',
  'socat',
  'journalctl',
  'jq',
  'kill',
  'kubectl',
  'mkdir',
  'pip',
  'printf',
  'python3',
  'sudo',
  'systemctl',
  'tar',
  'test',
  'useradd',
]

/** Simple commands of a shell script, without comments, variables and redirections. */
function commandsOf(script: string): string[] {
  return script
    .replaceAll('\\\n', ' ')
    .replaceAll(/'[^']*'|"[^"]*"/g, (quoted) => quoted.replaceAll(/[|&;#\n]/g, '·'))
    .split(/\n|&&|\|\|?|;/)
    .map((command) =>
      command
        .replace(/(^| )#.*/, '')
        .replace(/^\s*(?:\w+=\S* )*/, '')
        .replaceAll(/\s*[<>]+.*/g, '')
        .replace(/ &\s*$/, '')
        .trim(),
    )
    .filter((command) => command !== '')
}

/** What is wrong with a command, if anything. */
function problemOf(command: string, { programs }: Page): string | undefined {
  const [name = '', ...args] = command.split(/\s+/)
  const [first = '', second = ''] = args
  if (OTHERS.includes(basename(name))) return undefined
  if (name === 'npx' && first === 'databay') {
    const output = { stdout: new FakeStream(), stderr: new FakeStream() }
    const isHelp = second === 'help' || args.includes('--help')
    // link modules are the reader's own, unless the page has them
    const words = args.slice(1).map((word) => (/\.[cm]?[jt]s$/.test(word) ? import.meta.filename : word))
    return typeof parseCommandLine(words, output) === 'number' && !isHelp ? output.stderr.text : undefined
  }
  if (name === 'npx' && first === 'tap') return existsSync(join(root, args.at(-1) ?? '')) ? undefined : 'no such test'
  if (name === 'npm') {
    const script = first === 'run' ? second : ['start', 'test'].includes(first) ? first : undefined
    if (script !== undefined) return script in scripts ? undefined : 'no such script'
    if (['ci', 'init', 'pack'].includes(first)) return undefined
    if (first !== 'install' && first !== 'i') return 'not known'
    for (const [peer, range] of Object.entries(peerDependencies)) {
      const wanted = args.find((arg) => arg === peer || arg.startsWith(`${peer}@`))
      if (wanted !== undefined && wanted.replaceAll(/['"]/g, '') !== `${peer}@${range}`) return `not ${peer}@${range}`
    }
    return undefined
  }
  if (name === 'node' || name === 'tsx') {
    const file = args.find((arg) => /\.[cm]?[jt]s$/.test(arg)) ?? ''
    const source = join(root, file.replace(/^dist\//, '').replace(/\.js$/, '.ts'))
    const isThere = [file, file.replace(/js$/, 'ts')].some((one) => programs.has(one)) || existsSync(source)
    return isThere || args.includes('--test') ? undefined : 'no such file'
  }
  return 'not known'
}

t.test('what is to be typed into a shell are commands, options and scripts that there are', async (t) => {
  const problems: string[] = []
  let count = 0
  for (const [path, page] of pages) {
    for (const { line, code } of page.blocks.filter(({ language }) => language === 'sh')) {
      for (const command of commandsOf(code)) {
        const problem = problemOf(command, page)
        if (problem !== undefined) problems.push(`${path}:${line} ${command}: ${problem}`)
        count++
      }
    }
  }
  t.same(problems, [])
  t.ok(count > 30)
})

t.test('the check of commands finds mistakes', async (t) => {
  const page = new Page('README.md')
  for (const mistake of [
    'npx databay run links.js --thread 4',
    'npm run no-such-script',
    'npm install undici@^6',
    'node no-such-file.js',
    'frobnicate',
  ]) {
    t.type(problemOf(mistake, page), 'string', mistake)
  }
})
