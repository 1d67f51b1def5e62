import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, parse } from 'node:path'
import type { FileMark } from './file-mark.js'
import { orMissing } from './missing.js'
import { factsAt, OpenedFile, type FileFacts } from './opened-file.js'

/** File with the name that is followed, or with a name that rotation gave to such a file. */
interface Sibling extends FileFacts {
  readonly path: string
  /** Number of rotations: 0 for the followed name, 2 for `name.2`; `undefined` for others, like `name-20240101`. */
  readonly age: number | undefined
  /** Whether the name has the date of the rotation. */
  readonly dated: boolean
  /** Number within the name, as in `stem-1.log`, and how it is put there; `undefined` for other names. */
  readonly numbered: { readonly separator: string; readonly number: number } | undefined
  /** Whether the file is compressed, so that it is text no more. */
  readonly compressed: boolean
}

/** File that was begun after another one. */
export interface NextFile {
  readonly file: OpenedFile
  /** Path of a file that was begun between the two and cannot be read; `undefined` as far as there is none. */
  readonly missed: string | undefined
  /** Whether the one before it has a name that rotation gave it. Otherwise it was deleted, or replaced by this one. */
  readonly rotated: boolean
}

/** Endings of compressed files. A compressed file is another file, and may have the inode of one that is gone. */
const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|lzma|zip|z)$/i

/** Date of rotation within a name: at least six digits, as in `-240101` or `.2024-01-01T00:00`. */
const DATE = /^[-._]?\d(?:[-._:TZ]?\d){5,}Z?$/

/** Kind of the followed name itself. */
const FOLLOWED = { age: 0, dated: false, numbered: undefined, compressed: false }

/** Number of rotations within a name, as in `stem-1.log`, `stem.1.log`, `stem_1.log` and `stem1.log`. */
const NUMBER = /^([-._]?)(\d{1,5})$/

/** Number of looks while files are being renamed. */
const LOOKS = 50

/** File that was found by its inode. */
export interface FoundFile {
  readonly file: OpenedFile
  /** Whether it has the followed name, or one that rotation gives: other files may have got the inode since. */
  readonly named: boolean
}

/** File that was found by its content. */
interface MarkedFile {
  readonly file: OpenedFile
  readonly mark: FileMark
}

/** Opens the file with this inode, if it has the followed name or one that begins with it. */
export async function findByInode(path: string, inode: string): Promise<FoundFile | undefined> {
  for (let look = 0; look < LOOKS; look++) {
    const current = await factsAt(path)
    const siblings = current?.inode === inode ? [{ ...current, ...FOLLOWED, path }] : await siblingsOf(path)
    const found = siblings?.find((sibling) => sibling.inode === inode && !sibling.compressed)
    if (siblings !== undefined && found === undefined) return undefined
    const file = found && (await openSibling(found))
    if (found !== undefined && file !== undefined) return { file, named: isNamed(found) }
  }
  throw new Error('it, or what it was rotated to, is renamed all the time')
}

/**
 * Opens the file that was begun after one was rotated or deleted. Where rotation names files `name.1`, `name.2`, it is
 * the next younger of them, so that none is passed over after several rotations. Where the names have dates, as
 * `name-20240101` or `stem-20240101.log`, it is the file that was written to next.
 *
 * A file with the followed name counts as begun when it holds something: its writer writes no more to the file before
 * it.
 *
 * @returns `undefined` when there is none, or files are just being renamed
 */
export async function findNext(path: string, before: OpenedFile): Promise<NextFile | undefined> {
  const current = await factsAt(path)
  if (current?.inode === before.inode) return undefined
  const siblings = await siblingsOf(path)
  const { writtenAt } = await before.facts()
  const next = siblings && nextOf(siblings, before.inode, writtenAt)
  const file = next && (await openSibling(next))
  return file && { file, missed: missedBetween(siblings, writtenAt, next)?.path, rotated: isRotated(siblings, before) }
}

/**
 * Opens the file that has a mark, whatever its inode: the one with the followed name, or one that rotation has renamed,
 * the youngest first. So it is found again when it was copied, restored, or replaced by a file that goes on as it did.
 * Files that can never be read, such as packed ones, are passed over.
 */
export async function findByMark(path: string, position: number, fingerprint: string): Promise<MarkedFile | undefined> {
  const siblings = (await siblingsOf(path)) ?? []
  const found = siblings.filter((one) => !one.compressed && (isNamed(one) || one.numbered !== undefined))
  const ageOf = ({ age = 1 }: Sibling) => Math.min(age, 1)
  for (const sibling of found.sort((a, b) => ageOf(a) - ageOf(b) || Number(b.writtenAt - a.writtenAt))) {
    const found = await openAtMark(sibling, position, fingerprint).catch((error: unknown) => {
      if (mayBeReadLater(error)) throw error
    })
    if (found !== undefined) return found
  }
  return undefined
}

async function openAtMark(sibling: Sibling, position: number, fingerprint: string): Promise<MarkedFile | undefined> {
  const file = await openSibling(sibling)
  const mark = await file?.markAt(position, fingerprint).catch(async (error: unknown) => {
    await file.close()
    throw error
  })
  if (file !== undefined && mark !== undefined) return { file, mark }
  await file?.close()
  return undefined
}

/** Whether the system has refused to read a file for a cause that may pass, unlike that it is not allowed. */
function mayBeReadLater(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code !== 'EACCES' && error.code !== 'EPERM'
}

/** Whether a file has a name that rotation gave it. */
function isRotated(siblings: readonly Sibling[], { inode }: OpenedFile): boolean {
  const self = siblings.find((one) => one.inode === inode && !one.compressed && one.age !== 0)
  return self !== undefined && (isNamed(self) || self.numbered !== undefined)
}

function isNamed({ age, dated }: Pick<Sibling, 'age' | 'dated'>): boolean {
  return age !== undefined || dated
}

/** Finds a file that was compressed before it was read. Compression keeps the time of the last write. */
function missedBetween(siblings: readonly Sibling[], writtenAt: bigint, next: Sibling): Sibling | undefined {
  return siblings.find(
    (sibling) => sibling.compressed && sibling.writtenAt > writtenAt && sibling.writtenAt <= next.writtenAt,
  )
}

/** Opens a file, unless it has been renamed meanwhile. */
async function openSibling({ path, inode }: Pick<Sibling, 'path' | 'inode'>): Promise<OpenedFile | undefined> {
  const file = await orMissing(OpenedFile.open(path))
  if (file === undefined || file.inode === inode) return file
  await file.close()
  return undefined
}

function nextOf(all: readonly Sibling[], inode: string, writtenAt: bigint): Sibling | undefined {
  const self = all.find((sibling) => sibling.inode === inode && !sibling.compressed)
  const siblings = all.filter((sibling) => sibling !== self && !sibling.compressed && sibling.inode !== inode)
  const isLater = (sibling: Sibling) =>
    sibling.writtenAt > writtenAt ||
    // the clock of a file system may be too coarse to tell
    (sibling.writtenAt === writtenAt && self?.dated === true && sibling.path > self.path)
  if (self?.numbered !== undefined) {
    // files of such names may have nothing to do with this one: so they count only beside one that was renamed like that
    const [first] = siblings.filter((sibling) => isLaterNumber(sibling, self)).sort(byNumber)
    return first ?? siblings.find(({ age, size }) => age === 0 && size > 0)
  }
  if (self?.age === undefined) {
    const dated = siblings.filter((sibling) => sibling.dated && sibling.size > 0 && isLater(sibling))
    const [first] = dated.sort((a, b) => Number(a.writtenAt - b.writtenAt) || (a.path < b.path ? -1 : 1))
    if (first !== undefined) return first
  }
  const younger = siblings.filter(({ age, ...sibling }) => {
    if (age === undefined) return false
    if (age === 0) return sibling.size > 0
    if (self === undefined) return sibling.writtenAt > writtenAt // deleted: the age it had is not known
    return self.age !== undefined && age < self.age
  })
  return younger.sort((a, b) => (b.age ?? 0) - (a.age ?? 0))[0]
}

/** Whether a file was written to after another one with a number in its name. Greater numbers may be older, or younger. */
function isLaterNumber({ numbered, writtenAt, size, age }: Sibling, self: Sibling): boolean {
  if (age === 0 || numbered?.separator !== self.numbered?.separator || numbered === undefined || size === 0)
    return false
  // where the clock of a file system is too coarse, smaller numbers are younger, as most programs have it
  return writtenAt === self.writtenAt ? numbered.number < (self.numbered?.number ?? 0) : writtenAt > self.writtenAt
}

function byNumber(a: Sibling, b: Sibling): number {
  return Number(a.writtenAt - b.writtenAt) || (b.numbered?.number ?? 0) - (a.numbered?.number ?? 0)
}

/**
 * Lists the files that existed at one moment; `undefined` while they are being renamed.
 *
 * Names are read one by one, so a file that is renamed meanwhile may be missed. But rotation never gives a name back to
 * a file: a file with the same name in two listings had that name between them.
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
  // where the path is a link, either its target is rotated, or the link itself
  const real = await orMissing(realpath(path))
  const lists = await Promise.all((real === undefined ? [path] : [real, path]).map(listBeside))
  return [...new Map(lists.flat().map((sibling) => [sibling.path, sibling])).values()]
}

async function listBeside(path: string): Promise<Sibling[]> {
  const folder = dirname(path)
  const name = basename(path)
  const names = (await orMissing(readdir(folder))) ?? []
  const siblings = await Promise.all(
    names.map(async (other) => {
      const kind = kindOf(name, other)
      const sibling = join(folder, other)
      const facts = kind && (await factsAt(sibling))
      // a folder or pipe of such a name does not come from a rotation
      return facts && (facts.regular || other === name) ? { ...facts, ...kind, path: sibling } : undefined
    }),
  )
  return siblings.filter((sibling) => sibling !== undefined)
}

/** Facts that a name tells of a file; `undefined` when rotation has not given it to a file with the followed name. */
function kindOf(name: string, other: string): Pick<Sibling, 'age' | 'dated' | 'numbered' | 'compressed'> | undefined {
  const bare = other === name ? other : other.replace(COMPRESSED, '')
  const compressed = bare !== other
  const { name: stem, ext } = parse(name)
  // the date comes last, or before the extension
  const within = ext !== '' && bare.startsWith(stem) && bare.endsWith(ext) && bare.length > name.length
  const middle = within ? bare.slice(stem.length, -ext.length) : ''
  const dated = DATE.test(middle)
  const [, separator = '', number] = (dated ? undefined : NUMBER.exec(middle)) ?? []
  const numbered = number === undefined ? undefined : { separator, number: Number(number) }
  if (!bare.startsWith(name)) {
    return dated || numbered !== undefined ? { age: undefined, dated, numbered, compressed } : undefined
  }
  const suffix = bare.slice(name.length)
  const age = ageOf(suffix)
  return { age, dated: dated || (age === undefined && DATE.test(suffix)), numbered, compressed }
}

function ageOf(suffix: string): number | undefined {
  if (suffix === '') return 0
  const digits = /^\.([1-9]\d{0,5})$/.exec(suffix)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
