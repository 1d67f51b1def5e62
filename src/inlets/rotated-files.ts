import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { factsAt, OpenedFile, orMissing, type FileFacts } from './opened-file.js'

/** A file with the name that is followed, or with a name that rotation gave to one that had it. */
interface Sibling extends FileFacts {
  readonly path: string
  /** How often it was rotated: 0 for the followed name, 2 for `name.2`; `undefined` for others, like `name-20240101`. */
  readonly age: number | undefined
}

/** What a rotated file is compressed into: another file, which may have been given the inode of one that is gone. */
const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|lzma|zip|z)$/i

/** How often to look again while files are being renamed. */
const LOOKS = 50

/** Opens the file with this inode, if it still has the followed name or one that begins with it. */
export async function findByInode(path: string, inode: string): Promise<OpenedFile | undefined> {
  for (let look = 0; look < LOOKS; look++) {
    const current = await factsAt(path)
    const siblings = current?.inode === inode ? [{ ...current, path }] : await siblingsOf(path)
    const found = siblings?.find((sibling) => sibling.inode === inode)
    if (siblings !== undefined && found === undefined) return undefined
    const file = found && (await openSibling(found))
    if (file !== undefined) return file
  }
  throw new Error('it, or what it was rotated to, is renamed all the time')
}

/**
 * Opens the file that was begun after one was rotated, or deleted. Where files were rotated as `name.1`, `name.2`, it is
 * the next younger of them, so none is passed over when there were several rotations.
 *
 * A file of the followed name counts as begun when it holds something: who has written to it writes no more to the one
 * before it.
 *
 * @returns `undefined` when there is none, or files are being renamed just now
 */
export async function findNext(path: string, before: OpenedFile): Promise<OpenedFile | undefined> {
  const current = await factsAt(path)
  if (current?.inode === before.inode) return undefined
  const next = await nextOf(path, before)
  return next && (await openSibling(next))
}

/** Opens a file, unless it has another name meanwhile. */
async function openSibling({ path, inode }: Pick<Sibling, 'path' | 'inode'>): Promise<OpenedFile | undefined> {
  const file = await orMissing(OpenedFile.open(path))
  if (file === undefined || file.inode === inode) return file
  await file.close()
  return undefined
}

async function nextOf(path: string, before: OpenedFile): Promise<Sibling | undefined> {
  const siblings = await siblingsOf(path)
  if (siblings === undefined) return undefined
  const self = siblings.find(({ inode }) => inode === before.inode)
  const { writtenAt } = await before.facts()
  const aged = siblings.flatMap((sibling) => (sibling.age === undefined ? [] : [{ ...sibling, age: sibling.age }]))
  const younger = aged.filter(({ age, ...sibling }) => {
    if (age === 0) return sibling.size > 0
    if (self === undefined) return sibling.writtenAt > writtenAt // deleted: the age it had is not known
    return self.age !== undefined && age < self.age
  })
  return younger
    .filter(({ inode }) => inode !== before.inode)
    .reduce<(typeof younger)[number] | undefined>((a, b) => (a === undefined || b.age > a.age ? b : a), undefined)
}

/**
 * Which files there were at one moment; `undefined` while they are being renamed.
 *
 * Names are read one by one, so a file that is renamed meanwhile may be missed. But rotation never gives a name back to
 * a file: what has the same name in two listings had it between them.
 */
async function siblingsOf(path: string): Promise<Sibling[] | undefined> {
  let before = await listSiblings(path)
  for (let look = 0; look < LOOKS; look++) {
    const after = await listSiblings(path)
    if (sameFiles(before, after)) return after
    before = after
  }
  return undefined
}

function sameFiles(some: readonly Sibling[], others: readonly Sibling[]): boolean {
  const inodes = new Map(some.map(({ path, inode }) => [path, inode]))
  return some.length === others.length && others.every(({ path, inode }) => inodes.get(path) === inode)
}

async function listSiblings(path: string): Promise<Sibling[]> {
  // where the path is a link, what it leads to is rotated, or the link itself
  const real = await orMissing(realpath(path))
  const lists = await Promise.all((real === undefined ? [path] : [real, path]).map(listBeside))
  return [...new Map(lists.flat().map((sibling) => [sibling.path, sibling])).values()]
}

async function listBeside(path: string): Promise<Sibling[]> {
  const folder = dirname(path)
  const name = basename(path)
  const names = ((await orMissing(readdir(folder))) ?? []).filter(
    (other) => other === name || (other.startsWith(name) && !COMPRESSED.test(other)),
  )
  const siblings = await Promise.all(
    names.map(async (other) => {
      const sibling = join(folder, other)
      const facts = await factsAt(sibling)
      return facts && { ...facts, path: sibling, age: ageOf(other.slice(name.length)) }
    }),
  )
  return siblings.filter((sibling) => sibling !== undefined)
}

function ageOf(suffix: string): number | undefined {
  if (suffix === '') return 0
  const digits = /^\.([1-9]\d{0,5})$/.exec(suffix)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
