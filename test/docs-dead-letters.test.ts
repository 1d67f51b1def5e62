/** Runs the programs of docs/dead-letters.md, and compares what the page shows with what the command prints. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { testPage } from './helpers/pages.js'

testPage(t, 'docs/dead-letters.md', async (t, page) => {
  t.test('a record that fails is listed, shown, mended and delivered', async (t) => {
    const folder = page.folder(t)
    const shown = (title: string) =>
      page.blocks.filter(({ section, language }) => section === title && language === 'text')
    const run = async (line: string) => {
      const { code, stdout, stderr } = await page.run(folder, line, { DATABAY_STORE: join(folder, '.databay') })
      t.equal(code, 0, `${line}: ${stderr}`)
      return { stdout, stderr }
    }
    /** Words of a text, without what differs from run to run. */
    const shape = (text: string) =>
      text
        .split('\n')
        .filter((line) => !/\/(dist|src)\/|node:internal/.test(line))
        .map((line) =>
          line
            .replaceAll(/file:\S*\/|[\d.:-]*\d[\d.:-]*/g, '#')
            .replaceAll(/ +/g, ' ')
            .trim(),
        )
        .filter((line) => line !== '')
    const { stderr } = await run('databay run links.js --once --store ./.databay')
    for (const line of shape(shown('A record that fails')[0]?.code ?? '')) t.ok(shape(stderr).includes(line), line)
    const [list, details] = shown('List and show')
    t.same(shape((await run('databay dead-letters list')).stdout), shape(list?.code ?? ''))
    t.same(shape((await run('databay dead-letters show 2 --payload')).stdout), shape(details?.code ?? ''))
    const exported = (await run('databay dead-letters export --id 2')).stdout
    const document = page.blocks.find(({ language }) => language === 'json')
    t.match(JSON.parse(exported), { ...(JSON.parse(document?.code ?? '') as object), at: Number })

    const code = readFileSync(join(folder, 'links.js'), 'utf8')
    writeFileSync(join(folder, 'links.js'), code.replaceAll('toCents', 'parseAmount'))
    await run('databay run links.js --once --store ./.databay')
    const other = await page.run(folder, 'databay dead-letters replay --link amounts --store ./.databay')
    t.equal(other.code, 1)
    t.same(shape(other.stderr), shape(shown('Another node in its place')[0]?.code ?? ''))

    const mended = code.replace('Number(record.payload)', "Number(record.payload.replace(',', '.'))")
    t.ok(page.text.includes("`Number(record.payload.replace(',', '.'))`"))
    writeFileSync(join(folder, 'links.js'), mended)
    await run('databay run links.js --once --store ./.databay')
    const replayed = (await run('databay dead-letters replay --link amounts')).stdout
    t.match(replayed, (shown('Replay')[0]?.code ?? '').split(': ')[0])
    await run('databay run links.js --once --store ./.databay')
    t.equal(readFileSync(join(folder, 'cents.txt'), 'utf8'), '1250\n1250\n9900\n')
    t.equal((await run('databay dead-letters list')).stdout, 'no dead letters\n')
  })

  t.test('records that must not lie on a disk are kept without, or redacted', async (t) => {
    const folder = page.folder(t)
    const { code, stderr } = await page.run(folder, 'databay check private-links.js')
    t.equal(code, 0, stderr)
    const { redacted, without } = (await page.load(folder, 'private-links.js')) as {
      [name: string]: {
        settings: { deadLetters: { payload: boolean; redact?: (record: unknown) => { payload: unknown } } }
      }
    }
    t.equal(without?.settings.deadLetters.payload, false)
    const { Record } = await import('../src/index.js')
    t.equal(redacted?.settings.deadLetters.redact?.(new Record('Ann 0123456')).payload, 'Ann …')
  })
})
