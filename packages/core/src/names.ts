/**
 * The candidates that somebody may have meant, nearest first: at most three, within a third of the name's length by
 * edit distance (Damerau-Levenshtein, adjacent transpositions). For names in errors, never for values.
 */
export function nearestNames(name: string, candidates: Iterable<string>): string[] {
  const wanted = name.slice(0, LONGEST).toLowerCase()
  const allowed = Math.max(1, Math.floor(wanted.length / 3))
  return [...new Set(candidates)]
    .map(candidate => ({ candidate, distance: distance(wanted, candidate.slice(0, LONGEST).toLowerCase()) }))
    .filter(entry => entry.distance <= allowed)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(entry => entry.candidate)
}

const LONGEST = 64

function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
