/** Runs the programs of the pages by task. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { testPage } from './helpers/pages.js'

testPage(t, 'docs/scheduling.md', async (t, page) => {
  t.test('links of every kind of schedule run', async (t) => {
    const folder = page.folder(t)
    const { code, stderr } = await page.run(folder, 'databay run when.js --threads 1 --once')
    t.equal(code, 0, stderr)
    t.match(stderr, '7 transfers of 7 links')
  })

  t.test('the first link is due at its interval, which a program can change', async (t) => {
    const folder = page.folder(t, {
      'slower.js': (code) =>
        code.replace('await planner.shutdown', 'console.log(planner.links[0].schedule.every)\nawait planner.shutdown'),
    })
    const list = await page.run(folder, 'databay list every.js')
    t.match(list.stdout, /rolls +every 5 min/)
    const { stdout } = await page.run(folder, 'node slower.js')
    t.match(stdout, /^600000$/m)
  })

  t.test('a nightly link makes up for a run that it has missed, in a planner with a store', async (t) => {
    const folder = page.folder(t)
    const { code, stdout, stderr } = await page.run(folder, 'databay list nightly.js')
    t.equal(code, 0, stderr)
    t.match(stdout, /nightly +cron 0 2 \* \* \* \(Europe\/Amsterdam\)/)
    const storeless = await page.run(folder, 'databay run nightly.js --threads 1 --once')
    t.equal(storeless.code, 1)
    t.match(storeless.stderr, /catchUp: expected false for nightly, or a planner with a store/)
  })

  t.test('the expressions of cron are expressions', async (t) => {
    const rows = [...page.text.matchAll(/^\| `([^`]+)` /gm)].map(([, expression = '']) => expression)
    t.ok(rows.length >= 6)
    const nodes = 'inlets: new NullInlet(), outlets: new NullOutlet()'
    const links = rows.map((cron) => `new Link({ ${nodes}, cron: '${cron}' })`)
    const module = `import { Link, NullInlet, NullOutlet } from 'databay'\nexport const links = [${links.join(',\n')}]\n`
    const folder = page.folder(t, {}, { 'cron.js': module })
    const { code, stdout, stderr } = await page.run(folder, 'databay list cron.js')
    t.equal(code, 0, stderr)
    for (const cron of rows) t.ok(stdout.includes(`cron ${cron} `), cron)
    t.match(
      (await page.run(t.testdir({ 'cron.js': module.replace(rows[0] ?? '', '*/90 * * * *') }), 'databay list cron.js'))
        .stderr,
      '*/90',
    )
  })
})

testPage(t, 'docs/processing.md', async (t, page) => {
  t.test('processors filter and change', async (t) => {
    const folder = page.folder(t, {}, { 'cities.csv': 'city,celsius\nOslo,5\nRome,30\n' })
    const { code, stderr } = await page.run(folder, 'databay run warm.js --threads 1 --once')
    t.equal(code, 0, stderr)
    t.match(readFileSync(join(folder, 'warm.csv'), 'utf8'), /^city,celsius,fahrenheit\r?\nRome,30,86\r?\n$/)
  })

  t.test('the shaped link pushes words in pairs', async (t) => {
    const { stdout } = await page.run(page.folder(t), 'databay run shaping.js --threads 1 --transfers 5')
    const lines = stdout.trim().split('\n')
    t.ok(lines.length >= 1)
    for (const line of lines) t.match(line, /the number (\d\d|100)/)

    // what the outlet is given at a time, batch by batch
    const counted = page.folder(t, {
      'shaping.ts': (code) =>
        code
          .replace('new PrintOutlet()', 'new Sizes()')
          .replace('new RandomIntInlet(), new RandomIntInlet()', 'new RandomIntInlet(10), new RandomIntInlet(10)')
          .replace(
            'export const',
            `class Sizes extends PrintOutlet {
              override push(records, update) {
                process.stdout.write(\`pushes \${records.length}\\n\`)
                return super.push(records, update)
              }
            }
            export const`,
          ),
    })
    const sizes = await page.run(counted, 'databay run shaping.js --threads 1 --transfers 5')
    // the buffer lets go of four after each second transfer, and of the last two when it is shut down
    const expected = [2, 2, 2, 2, 2].map((size) => `pushes ${size}`)
    t.same(sizes.stdout.match(/^pushes \d$/gm), expected, sizes.stdout + sizes.stderr)
  })
})

testPage(t, 'docs/inlets-and-outlets.md', async (t, page) => {
  const folder = page.folder(t)

  t.test('the inlet and the outlet print random numbers', async (t) => {
    const { stdout } = await page.run(folder, 'databay run random-ints.js --threads 1 --transfers 3')
    t.match(stdout, /^rolls\.0 [1-6]\nrolls\.1 [1-6]\nrolls\.2 [1-6]\n$/)
  })

  t.test('a stream is written round by round', async (t) => {
    const { code, stderr } = await page.run(folder, 'databay run pages.js --threads 1 --once')
    t.equal(code, 0, stderr)
    t.equal(readFileSync(join(folder, 'pages.txt'), 'utf8'), '1a\n1b\n2a\n2b\n3a\n3b\n')
  })

  t.test('an outlet says which records it refuses', async (t) => {
    const { stdout, stderr } = await page.run(folder, 'databay run small-orders.js --threads 1 --once --json')
    t.match(stdout + stderr, /Shop: 1 of 3 records were not taken: an order of 5000 \(record 1\)/)
    t.match(stdout + stderr, /"pushed":2/)
  })

  t.test('an inlet that streams goes back to what was not delivered', async (t) => {
    const failing = page.folder(t, {
      'orders.ts': (code) =>
        code
          .replace('new PrintOutlet()', 'new Failing()')
          .replace('interval: 60', 'interval: 0.2')
          .replace(
            'export const',
            `let failed = false
          class Failing extends PrintOutlet {
            override push(records, update) {
              if (records[0].payload === 'order 2a' && !failed) {
                failed = true
                throw new Error('not now')
              }
              for (const { payload } of records) process.stdout.write(String(update) + ' ' + payload + '\\n')
            }
          }
          export const`,
          ),
    })
    const { stdout } = await page.run(failing, 'databay run orders.js --threads 1 --transfers 2')
    const pages = (update: string, ...numbers: number[]) =>
      numbers.flatMap((page) => [`${update} order ${page}a`, `${update} order ${page}b`])
    t.same(stdout.trim().split('\n'), [...pages('orders.0', 1), ...pages('orders.1', 2, 3)])
  })

  t.test('metadata chooses the file', async (t) => {
    const { code, stderr } = await page.run(folder, 'databay run by-sign.js --threads 1 --once')
    t.equal(code, 0, stderr)
    t.match(readFileSync(join(folder, 'negative.csv'), 'utf8'), '-1')
    t.match(readFileSync(join(folder, 'positive.csv'), 'utf8'), '2')
    t.notOk(existsSync(join(folder, 'others.csv')))
  })

  t.test('the contract suite passes', async (t) => {
    const { code, stdout } = await page.run(folder, 'node --test --test-reporter=tap die.test.js')
    t.equal(code, 0, stdout)
    t.match(stdout, /# pass \d\d\n/)
  })
})

testPage(t, 'docs/planners.md', async (t, page) => {
  t.test('a planner in a program reports its transfers', async (t) => {
    const folder = page.folder(t, {
      'main.js': (code) => code.replace('ignoreExceptions', 'transfers: 2, ignoreExceptions'),
    })
    const { code, stdout, stderr } = await page.run(folder, 'node main.js')
    t.equal(code, 0, stderr)
    t.match(stdout, 'numbers pulled 1\nnumbers pulled 1\n')
  })

  t.test('the planner of the main thread transfers, changes its links, and ends', async (t) => {
    const { code, stdout, stderr } = await page.run(page.folder(t), 'node planner.js')
    t.equal(code, 0, stderr)
    t.match(stdout, /^first\.0 pulled 1\n[^]*^second\.0 pulled 1$/m)
  })
})

testPage(t, 'docs/threads.md', async (t, page) => {
  const folder = page.folder(t)

  t.test('threads and modules change while links transfer', async (t) => {
    // after each step, how many threads and links there are, once each link has transferred again
    const look = `const look = async (step) => {
      const transferOf = (name) => new Promise((resolve) => {
        planner.on('transfer', ({ link, failed }) => link === name && !failed && resolve())
      })
      const { links, threads } = planner.stats()
      await Promise.all(links.map(({ link }) => transferOf(link)))
      console.log(step + ': ' + threads.length + ' threads, ' + links.length + ' links')
    }`
    const told = page.folder(t, {
      'changes.js': (code) =>
        code
          .replace('await planner.start()', `${look}\n$&`)
          .replaceAll(/^await planner\.(start|setThreads|rebalance|recycle|reload).*$/gm, "$&\nawait look('$1')"),
      'links.js': (code) =>
        `import { threadId } from 'node:worker_threads'\n${code}\nconsole.log('thread', threadId)\n`,
    })
    const { code, stdout, stderr } = await page.run(told, 'node changes.js')
    t.equal(code, 0, stderr)
    const steps = ['start: 1', 'setThreads: 2', 'rebalance: 2', 'recycle: 2', 'reload: 2']
    t.same(
      stdout.match(/^\w+: .*$/gm),
      steps.map((step) => `${step} threads, 3 links`),
    )
    // each thread that loads the links has a number of its own
    const numbersOf = (from: string, to: string) =>
      stdout.slice(stdout.indexOf(from), stdout.indexOf(to)).match(/^thread \d+$/gm) ?? []
    t.ok(numbersOf('rebalance:', 'recycle:').length > 0, `fresh threads take over\n${stdout}`)
    t.ok(numbersOf('recycle:', 'reload:').length > 0, `the module is loaded again\n${stdout}`)
    const numbers = stdout.match(/^thread \d+$/gm) ?? []
    t.equal(new Set(numbers).size, numbers.length, 'each time by a fresh thread')
  })

  t.test('a link of the main thread has its records processed in threads', async (t) => {
    const { code, stdout, stderr } = await page.run(folder, 'node offload.js')
    t.equal(code, 0, stderr)
    t.match(stdout, /\b9\b/)
  })
})

testPage(t, 'docs/monitoring.md', async (t, page) => {
  const folder = page.folder(t)

  t.test('statistics', async (t) => {
    const { code, stdout, stderr } = await page.run(folder, 'node stats.js')
    t.equal(code, 0, stderr)
    t.match(stdout, /^numbers: \d+ transfers, 0 failed, 99 of 100 within [\d.]+ ms\nthread 1: busy \d+ % of the time/m)
  })

  t.test('times of stages', async (t) => {
    const { code, stdout, stderr } = await page.run(folder, 'node stages.js')
    t.equal(code, 0, stderr)
    t.match(
      stdout,
      /^pull RandomIntInlet: [\d.]+ ms\nprocess processor halves: [\d.]+ ms\npush NullOutlet: [\d.]+ ms$/m,
    )
  })

  t.test('events', async (t) => {
    const { code, stdout, stderr } = await page.run(folder, 'node events.js')
    t.equal(code, 0, stderr)
    t.match(stdout, 'numbers is done: 1 pulled')
  })

  t.test('logs', async (t) => {
    const { stdout } = await page.run(folder, 'node logging.js')
    t.match(JSON.parse(stdout), { level: 30, name: 'databay.mine', msg: 'of my own' })
  })
})
