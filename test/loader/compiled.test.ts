import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { compiled } from './compiled.js'

t.test('a file is compiled when its source has changed', async (t) => {
  const folder = t.testdir({})
  const compile = (source: string) => compiled(path.join(import.meta.dirname, 'a.ts'), source, folder)
  const first = compile('export const a: number = 1\n')
  t.match(first, /^export const a = 1;\n\/\/# sourceMappingURL=data:application\/json;base64,/)
  const names = readdirSync(folder)
  t.same(names, ['test+loader+a.ts.js'])

  const kept = path.join(folder, names[0]!)
  writeFileSync(kept, `${readFileSync(kept, 'utf8')}// kept`)
  t.equal(compile('export const a: number = 1\n'), `${first}// kept`)
  t.match(compile('export const a: number = 2\n'), /^export const a = 2;/)
  t.equal(compile('export const a: number = 1\n'), first)
  t.same(readdirSync(folder), names, 'one source of each file is kept')
})

t.test('a thread loads TypeScript, by the names that the built files have, and tells its lines', async (t) => {
  const folder = t.testdir({
    'main.ts': [
      `import { parentPort } from 'node:worker_threads'`,
      `import { fails } from './fails.js'`,
      `import { name } from './other.js?query'`,
      `interface Erased { readonly stack: string }`,
      `try { fails() } catch (error) { parentPort!.postMessage([name, (error as Erased).stack]) }`,
    ].join('\n'),
    'fails.ts': [`interface Erased {}`, ``, `export function fails(): Erased {`, `  throw new Error('why')`, `}`].join(
      '\n',
    ),
    'other.ts': `export const name: string = import.meta.url`,
  })
  const worker = new Worker(pathToFileURL(path.join(folder, 'main.ts')))
  t.teardown(() => worker.terminate())
  const [name, stack] = await new Promise<string[]>((resolve, reject) =>
    worker.on('message', resolve).on('error', reject),
  )
  t.equal(name, `${pathToFileURL(path.join(folder, 'other.ts')).href}?query`)
  t.match(stack, /fails\.ts:4:9\)/)
})
