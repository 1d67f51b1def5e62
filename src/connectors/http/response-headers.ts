/** Headers of a response, by their names in lower case. A header that came several times is a list. */
export interface ResponseHeaders {
  readonly [name: string]: string | readonly string[] | undefined
}
