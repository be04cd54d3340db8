/** The known word nearest to a mistyped one. */

/** Typing mistakes that still leave a word recognisable. */
const distanceMax = 3

/** Undefined when nothing is near: within 3 mistakes and fewer than half of the letters. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.min(distanceMax, Math.floor(word.length / 2)) + 1
  for (const candidate of known) {
    const distance = editDistance(word, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      let value = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + cost,
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        value = Math.min(value, (beforeLast[column - 2] as number) + 1)
      }
      current.push(value)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] as number
}
