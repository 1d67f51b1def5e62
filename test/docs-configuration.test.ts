/** Runs the program of docs/configuration.md: what it shows is what the command says. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { testPage, withoutNumbers } from './helpers/pages.js'

testPage(t, 'docs/configuration.md', async (t, page) => {
  const texts = page.blocks.filter(({ language }) => language === 'text').map(({ code }) => code)
  // folders and due times differ; the page leaves out some lines
  const lines = (text = '') =>
    withoutNumbers(text)
      .split('\n')
      .map((line) =>
        line
          .replaceAll(/ +/g, ' ')
          .replace(/(store) \S+/, '$1')
          .trim(),
      )

  t.test('the links of the file, and of a profile', async (t) => {
    const folder = page.folder(t)
    const plain = await page.run(folder, 'databay list')
    t.same(lines(plain.stdout), lines(texts[0]), plain.stderr)
    const { stdout } = await page.run(folder, 'databay list --profile production')
    // no command line names them
    for (const name of page.programs.keys()) page.idle.delete(name)
    t.same(lines(stdout), lines(texts[1]))
  })

  t.test('what is in effect', async (t) => {
    const folder = page.folder(t)
    const line = 'databay config --profile production --transfers 10'
    const { stdout, stderr } = await page.run(folder, line, { DATABAY_LATE_AFTER: '5' })
    const all = lines(stdout.replaceAll(folder, '/folder'))
    for (const one of lines(texts[2])) if (one !== '...') t.ok(all.includes(one), `${one}\n${stdout}${stderr}`)
  })

  t.test('what is wrong', async (t) => {
    const config = page.programs.get('databay.config.js') ?? ''
    const [thraeds, ordres, profile] = (texts[3] ?? '').split('\n')
    const says = async (text: string, line: string) => {
      const folder = page.folder(t)
      writeFileSync(join(folder, 'databay.config.js'), text)
      return (await page.run(folder, line)).stderr
    }
    t.equal(await says(config.replace('threads: 2', 'thraeds: 2'), 'databay run'), `${thraeds}\n`)
    t.equal(await says(config.replaceAll('orders_', 'ordres_'), 'databay check'), `${ordres}\n`)
    t.equal(await says(config, 'databay run --profile prod'), `${profile}\n`)
  })
})
