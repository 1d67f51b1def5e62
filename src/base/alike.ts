/** Whether two values of plain data are the same. */
export function alike(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const [a, b] = [one, other] as { readonly [key: string]: unknown }[]
  const keys = Object.keys(a as object)
  if (keys.length !== Object.keys(b as object).length) return false
  return keys.every((key) => Object.hasOwn(b as object, key) && alike(a?.[key], b?.[key]))
}
