import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'

/**
 * A disk in memory with little room, until the test ends; `undefined` where there is no right to mount one.
 *
 * @param size - in KiB
 */
export function tinyDisk(t: Test, size: number): string | undefined {
  // not in the test's own folder, which is removed before the disk could be taken away
  const folder = mkdtempSync(path.join(tmpdir(), 'tiny-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}k`, 'tmpfs', folder]).status === 0
  t.teardown(() => {
    if (mounted) spawnSync('umount', [folder])
    rmdirSync(folder)
  })
  return mounted ? folder : undefined
}
