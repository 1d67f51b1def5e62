import type { Processor } from './processor.js'

/*
 * Lists of processors, each of which takes what the one before gives. For a processor that says nothing of what it gives, such
 * as a buffer, the parameter's default counts where these are used: it gives what it takes.
 */

/** One processor, from payloads `A` to `B`. */
export type Steps1<A, B> = readonly [Processor<A, B>]
/** Two processors, from payloads `A` to `C`. */
export type Steps2<A, B, C> = readonly [...Steps1<A, B>, Processor<B, C>]
/** Three processors, from payloads `A` to `D`. */
export type Steps3<A, B, C, D> = readonly [...Steps2<A, B, C>, Processor<C, D>]
/** Four processors, from payloads `A` to `E`. */
export type Steps4<A, B, C, D, E> = readonly [...Steps3<A, B, C, D>, Processor<D, E>]
/** Five processors, from payloads `A` to `F`, and further ones, which keep the type. */
export type Steps5<A, B, C, D, E, F> = readonly [...Steps4<A, B, C, D, E>, Processor<E, F>, ...Processor<NoInfer<F>>[]]

/** The processors of a link, from payloads `A` to `F`: one, none, or several. */
export type Pipeline<A, B, C, D, E, F> =
  | Processor<A, B>
  | readonly []
  | Steps1<A, B>
  | Steps2<A, B, C>
  | Steps3<A, B, C, D>
  | Steps4<A, B, C, D, E>
  | Steps5<A, B, C, D, E, F>

/** Bound of a type parameter whose default is `never`: the compiler takes it for the parameter where it infers types. */
export type Quiet = typeof _quiet
declare const _quiet: unique symbol

/**
 * `T`, of which the compiler infers nothing. A processor that takes and gives such a type keeps the type of the payloads,
 * whatever it is: a list of processors is followed through it.
 *
 * @typeParam Q - parameter of the method, bound by {@link Quiet}, and `never` by default
 */
export type Said<Q extends Quiet, T> = [Q] extends [never] ? T : never
