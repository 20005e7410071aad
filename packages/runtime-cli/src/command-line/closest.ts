/**
 * The word that was probably meant, if any: the same first letter, and at most two slips in five letters (one too many, too
 * few or another), or the word was not finished; in any case. PURE.
 */
export function closest(given: string, words: readonly string[]): string | undefined {
  const word = given.toLowerCase()
  const alike = words
    .map((candidate) => ({ candidate, slips: slipsOf(word, candidate.toLowerCase()) }))
    .filter(({ slips }) => slips === 0 || (word.length >= 3 && slips <= word.length / 2.5))
  return alike.sort((one, other) => one.slips - other.slips)[0]?.candidate
}

function slipsOf(word: string, candidate: string): number {
  if (word === candidate) return 0
  if (word[0] !== candidate[0]) return Number.POSITIVE_INFINITY
  return candidate.startsWith(word) ? 1 : distance(word, candidate)
}

/** Levenshtein's: row by row of the table of all prefixes. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1]
    for (let column = 1; column <= other.length; column++) {
      const exchanged = (row[column - 1] ?? 0) + (other[column - 1] === letter ? 0 : 1)
      next.push(Math.min(exchanged, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}
