/**
 * Loads tap before any hook of Node's loader is registered. tap has more than a hundred files, and each of them would go
 * through the hooks of tap's own preloads, which are in a thread of their own: a third of the time of a short test file.
 *
 * `.taprc` preloads it by `NODE_OPTIONS`, as these come before all other flags. Programs and threads of a test do not have it.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.env.NODE_OPTIONS = process.env.NODE_OPTIONS.replace(/"?--import=\S*\/first\.js"?/, '').trim()
  // tap measures coverage when the process ends, and misses that end unless this was there before it
  const { onExit } = await import('signal-exit')
  onExit(() => undefined, { alwaysLast: true })
  const { TAP_TYPE_STRIP_ONLY } = process.env
  await import('tap')
  // on Node 20 tap forbids it, as that strips no types: here, hooks do
  process.env.TAP_TYPE_STRIP_ONLY = TAP_TYPE_STRIP_ONLY
}
