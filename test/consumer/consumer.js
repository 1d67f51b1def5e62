/** A consumer of the package: a new folder outside of the repository, in which it is installed from its tarball. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Milliseconds after which a program is ended. */
const LIMIT = 100_000

export const ROOT = path.join(import.meta.dirname, '../..')

export class Consumer {
  #env

  /**
   * @param folder - new folder
   * @param tarball - the packed package
   * @param env - environment of all programs
   */
  constructor(folder, tarball, env) {
    mkdirSync(folder, { recursive: true })
    this.folder = folder
    this.tarball = tarball
    this.#env = env
  }

  /** Consumer in a folder within this one. */
  within(folder) {
    return new Consumer(path.join(this.folder, folder), this.tarball, this.#env)
  }

  write(files) {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.folder, name)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text))
    }
  }

  read(name) {
    return readFileSync(path.join(this.folder, name), 'utf8')
  }

  /** Installs the package, and others, in a project as `npm init -y` makes it. */
  async install(...others) {
    await this.run('npm init -y')
    await this.run(`npm install ${[this.tarball, ...others].map((name) => `'${name}'`).join(' ')}`)
  }

  /**
   * Runs a line of a shell. Gives what it prints.
   *
   * @param code - exit code that it must have
   * @param stopWhen - text that, once printed, has the command interrupted as by Ctrl-C
   */
  run(line, { code = 0, stopWhen } = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn('sh', ['-c', line], { cwd: this.folder, env: this.#env, detached: true, stdio: 'pipe' })
      child.stdin.end()
      let output = ''
      let stopped = false
      // the whole group: npm starts a shell, which starts the program
      const signal = (name) => process.kill(-child.pid, name)
      const timer = setTimeout(() => signal('SIGKILL'), LIMIT)
      const add = (text) => {
        output += text
        if (stopWhen === undefined || stopped || !stopWhen.test(output)) return
        stopped = true
        signal('SIGINT')
      }
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', add)
      child.on('error', reject)
      child.on('close', (ended, by) => {
        clearTimeout(timer)
        if (stopped || ended === code) return resolve(output)
        reject(new Error(`$ ${line}\nexit code ${ended ?? by}, expected ${code}\n${output}`))
      })
    })
  }
}

/** Whether a text is as expected: fails with both. */
export function expect(text, pattern) {
  if (!pattern.test(text)) throw new Error(`expected ${pattern}, got:\n${text}`)
}
