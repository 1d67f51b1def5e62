/** Counts what a pull gave, in one list or list by list: all of it is read. */
export async function countPulled(pulled: unknown): Promise<number> {
  if (Array.isArray(pulled)) return pulled.length
  let count = 0
  for await (const list of pulled as AsyncIterable<unknown[]>) count += list.length
  return count
}
