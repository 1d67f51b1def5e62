import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'

/**
 * Mounts a small disk in memory, until the test ends.
 *
 * @param size - size of the disk, in KiB
 * @returns path of the disk; `undefined` without the right to mount one
 */
export function tinyDisk(t: Test, size: number): string | undefined {
  // not in the test's own folder, which is removed before the disk is unmounted
  const folder = mkdtempSync(path.join(tmpdir(), 'tiny-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}k`, 'tmpfs', folder]).status === 0
  t.teardown(() => {
    if (mounted) spawnSync('umount', ['-l', folder])
    rmdirSync(folder)
  })
  return mounted ? folder : undefined
}
