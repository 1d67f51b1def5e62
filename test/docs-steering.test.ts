/** Runs the program of the page on steering, and compares the page with what the commands say. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseCommandLine } from '../src/cli/program.js'
import { LINK_STATES } from '../src/operate/control/link-status.js'
import { LONGEST_PATH } from '../src/operate/control/socket-path.js'
import { cliFixture, FakeStream, RunningCommand } from './helpers/command.js'
import { testPage } from './helpers/pages.js'
import { node, databay } from './helpers/programs.js'
import { shortFolder } from './helpers/sockets.js'

testPage(t, 'docs/steering.md', async (t, page) => {
  t.test('the planner of an application is found and steered', async (t) => {
    const folder = page.folder(t)
    copyFileSync(cliFixture('hourly.mjs'), join(folder, 'links.js'))
    const env = { TMPDIR: shortFolder(t) }
    page.hasRun('steered.js')
    const program = new RunningCommand(t, [process.execPath, join(folder, 'steered.js')], env)
    const run = (...args: string[]) => node(folder, [databay, ...args], env)
    let status = await run('status')
    while (!/^hourly +ok/m.test(status.stdout)) status = await run('status')
    t.equal(status.code, 0)
    t.match(await run('force', '--link', 'hourly'), { code: 0, stdout: /^hourly: ok in / })
    program.kill('SIGTERM')
    await program.ended
    t.match(program.stderr, 'has forced a transfer of hourly')
  })

  t.test('the page names the options and states that there are', async (t) => {
    const helps = ['status', 'force', 'pause', 'resume'].map((command) => {
      const output = { stdout: new FakeStream(), stderr: new FakeStream() }
      parseCommandLine([command, '--help'], output)
      return output.stdout.text
    })
    const options = new Set(helps.join('').match(/(?<![\w-])--[a-z][a-z-]+/g))
    for (const option of ['--help', '--config', '--profile', '--env-file', '--no-color', '--quiet'])
      options.delete(option)
    for (const option of options) t.ok(page.text.includes(option), option)
    for (const state of LINK_STATES) t.match(page.text, `| \`${state === 'starting' ? 'not started' : state}\``)
    if (process.platform === 'linux') t.match(page.text, `only ${LONGEST_PATH} bytes`)
  })
})
