/** Counts the primes below a limit, by division: work whose amount can be chosen. */
export function primesBelow(limit: number): number {
  let found = 0
  for (let candidate = 2; candidate < limit; candidate++) {
    let prime = true
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
      if (candidate % divisor === 0) {
        prime = false
        break
      }
    }
    if (prime) found++
  }
  return found
}
