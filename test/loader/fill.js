/** Compiles all TypeScript before the tests run: otherwise each test file would load the compiler for itself. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { compiled } from './compiled.js'

const root = path.join(import.meta.dirname, '../..')
for (const folder of ['src', 'workers', 'bench', 'examples', 'test'])
  for (const name of readdirSync(path.join(root, folder), { recursive: true })) {
    const file = path.join(root, folder, name)
    if (/(?<!\.d)\.ts$/.test(file)) compiled(file, readFileSync(file, 'utf8'))
  }
