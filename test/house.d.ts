export interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

export interface Figures {
  readonly files: number
  readonly lines: number
  readonly root: number
  readonly long: readonly { readonly file: string; readonly lines: number }[]
  readonly longest: { readonly file: string; readonly lines: number } | undefined
  readonly circles: readonly (readonly string[])[]
}

/** Rules: for each folder the others that it may import. */
export const RULES: readonly (readonly [folder: string, allowed: readonly string[]])[]
/** Folders whose subfolders may import each other. */
export const OPEN_PLAN: readonly string[]

export function sources(root: string, folders?: readonly string[]): string[]
export function importsOf(root: string, files?: readonly string[]): Import[]
export function forbidden(imports: readonly Pick<Import, 'from' | 'to'>[]): Import[]
export function circles(imports: readonly Pick<Import, 'from' | 'to'>[]): string[][]
export function figures(root: string): Figures
export function print(root: string, write?: (line: string) => void): void
