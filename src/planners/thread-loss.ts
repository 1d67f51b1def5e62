import type { Hit } from '../threads/main/hosting.js'

/** Whom the loss of a thread hits that hosts no links yet. */
export const NOBODY: Hit = { names: [], buffered: () => 0, culprit: undefined }
