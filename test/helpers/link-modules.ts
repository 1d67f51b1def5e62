/** Folders of link modules as users write them, and the command that runs them. */
import type { Test } from 'tap'
import { databay, node } from './programs.js'
import { userProject } from './user-project.js'

/** Whether Node loads TypeScript by itself. */
export const nodeStrips = Boolean((process.features as { readonly typescript?: unknown }).typescript)

/** Makes a user's project of files, by their names. */
export const project = (t: Test, packages: readonly string[], files: { readonly [name: string]: string }) =>
  userProject(t, packages, Object.entries(files))

/** Runs link modules of a folder once. */
export const run = (folder: string, ...modules: readonly string[]) =>
  node(folder, [databay, 'run', ...modules, '--threads', '2', '--once'])
