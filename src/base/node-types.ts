/*
 * Types of Node that public types name. Where a program has the types of Node, or of the DOM, they are those; where it has
 * neither, they are what the platform surely has, so that public types compile without `@types/node`.
 */

/** `URL` of the platform. */
export type Url = typeof globalThis extends { URL: { prototype: infer T } } ? T : { readonly href: string }

/** `AbortSignal` of the platform. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer T } } ? T : PlainSignal

/** `AbortSignal`, as far as a program needs it that has no types of the platform. */
interface PlainSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(event: 'abort', listener: () => void): void
  removeEventListener(event: 'abort', listener: () => void): void
}
