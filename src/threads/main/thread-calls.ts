import { restoreError, type PlainError } from '../../base/plain-error.js'

export interface Pending<T> {
  readonly resolve: (answer: T) => void
  readonly reject: (error: Error) => void
}

export function throwPlain(error: PlainError | null): void {
  if (error !== null) throw restoreError(error)
}
