/** Beginnings of packed data, by the name of the format. */
const BEGINNINGS: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
]

/** Bytes that follow in a file of bzip2: a text may begin with `BZh`, too. */
const BZIP2_BLOCK = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]

/** Number of bytes that show how data is packed. */
export const PACKING_LENGTH = 10

/** Format in which data is packed, by its first bytes; `undefined` when it is not. */
export function packingOf(bytes: Uint8Array): string | undefined {
  const begins = (at: number, expected: readonly number[]) =>
    expected.every((byte, index) => bytes[at + index] === byte)
  const name = BEGINNINGS.find(([, expected]) => begins(0, expected))?.[0]
  return name === 'bzip2' && !begins(4, BZIP2_BLOCK) ? undefined : name
}
