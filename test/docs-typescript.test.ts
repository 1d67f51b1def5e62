/** Runs the programs of docs/typescript.md. */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { root, testPage } from './helpers/pages.js'
import { databay, node } from './helpers/programs.js'
import { userProject } from './helpers/user-project.js'

/** A main program that ends by itself. */
const ending = (code: string) =>
  code.replace('await planner.finished', 'await planner.forceTransfer(planner.links[0]!)\nawait planner.shutdown()')

testPage(t, 'docs/typescript.md', async (t, page) => {
  const run = (folder: string, name: string) => {
    page.hasRun(name)
    return node(folder, [databay, 'run', name, '--threads', '1', '--once'])
  }

  t.test('its link modules run as they are', async (t) => {
    const folder = userProject(t, ['tsx'], page.programs)
    t.match((await run(folder, 'links.ts')).stdout, /twice is \d/)
    t.match((await run(folder, 'celsius.ts')).stdout, ': 100 degrees')
    const { code, stderr } = await run(folder, 'links.cjs')
    t.equal(code, 0, stderr)
    t.match(stderr, 'dice')
  })

  t.test('its main program runs by tsx', async (t) => {
    const folder = userProject(t, ['tsx'], page.programs)
    writeFileSync(join(folder, 'main.ts'), ending(page.programs.get('main.ts') ?? ''))
    page.hasRun('main.ts')
    t.match((await node(folder, ['--import', 'tsx', 'main.ts'])).stdout, /twice is \d/)
  })

  t.test('its tsconfig.json compiles them to what runs', async (t) => {
    const folder = userProject(t, ['typescript', '@types/node'], page.programs)
    const config = page.blocks.find(({ language }) => language === 'json')?.code ?? ''
    writeFileSync(join(folder, 'tsconfig.json'), config)
    const { options, fileNames, errors } = ts.parseJsonConfigFileContent(JSON.parse(config), ts.sys, folder)
    t.same(errors, [])
    const program = ts.createProgram(
      fileNames.filter((name) => name.endsWith('.ts')),
      { ...options, skipLibCheck: true },
    )
    const problems = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics]
    t.same(
      problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')),
      [],
    )
    t.match((await run(folder, 'dist/links.js')).stdout, /twice is \d/)
  })

  for (const [what, flags] of [
    ['external', undefined],
    ['in the bundle', '--external:undici --external:mongodb'],
  ] as const) {
    t.test(`a bundle runs with databay ${what}`, async (t) => {
      const packages = readdirSync(join(root, 'node_modules')).filter((name) => /^[a-z]/.test(name))
      const folder = userProject(t, flags === undefined ? [] : packages, page.programs)
      const main = ending(page.programs.get('main.ts') ?? '').replace('./links.ts', './links.js')
      writeFileSync(join(folder, 'main.ts'), main)
      const line = page.blocks.find(({ code }) => code.startsWith('npx esbuild '))?.code.trim() ?? ''
      const command = line.replace('npx esbuild ', '').replace('--packages=external', flags ?? '$&')
      execFileSync(join(root, 'node_modules/.bin/esbuild'), command.split(' '), { cwd: folder, stdio: 'ignore' })
      const { code, stdout, stderr } = await node(folder, ['out/main.js'])
      t.equal(code, 0, stderr)
      t.match(stdout, /twice is \d/)
    })
  }
})
