/**
 * Type of what a program says nothing about: it fits everywhere, as untyped use has to stay easy. Only for defaults of public
 * type parameters.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` fits no typed place, and `never` cannot be looked at
export type Untyped = any
