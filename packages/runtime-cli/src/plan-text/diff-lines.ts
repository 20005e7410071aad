/** Two lists of lines against each other, as diff(1) does it: "An O(ND) Difference Algorithm", E. Myers 1986. PURE. */

export interface Edit {
  readonly sign: ' ' | '-' | '+'
  readonly line: string
}

/** Lists that differ in more lines than this have nothing in common worth to be found: the search costs its square. */
const MOST_EDITS = 1500

/** Only what differs, with so many equal lines around it; `@@` stands between two places. Empty when nothing differs. */
export function diffLines(before: readonly string[], after: readonly string[], context: number): string[] {
  const edits = editsOf(before, after)
  const near = edits.map(() => false)
  for (const [index, { sign }] of edits.entries())
    if (sign !== ' ') near.fill(true, Math.max(0, index - context), index + context + 1)
  const shown = [...edits.keys()].filter((index) => near[index])
  return shown.flatMap((index, at) => {
    const { sign, line } = edits[index] as Edit
    const skipped = at > 0 && shown[at - 1] !== index - 1
    return [...(skipped ? ['@@'] : []), `${sign} ${line}`]
  })
}

function editsOf(before: readonly string[], after: readonly string[]): Edit[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  const [a, b] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)]
  return [...signed(' ', before.slice(0, head)), ...changed(a, b), ...signed(' ', before.slice(before.length - tail))]
}

function signed(sign: Edit['sign'], lines: readonly string[]): Edit[] {
  return lines.map((line) => ({ sign, line }))
}

function changed(a: readonly string[], b: readonly string[]): Edit[] {
  const rounds = search(a, b)
  return rounds ? wayBack(a, b, rounds) : [...signed('-', a), ...signed('+', b)]
}

/** How far each diagonal is reached with so many edits: one map for each number of them. */
type Reached = ReadonlyMap<number, number>

/** Undefined when there are too many. */
function search(a: readonly string[], b: readonly string[]): Reached[] | undefined {
  const rounds: Reached[] = []
  let last: Reached = new Map([[1, 0]])
  for (let edits = 0; edits <= MOST_EDITS; edits++) {
    rounds.push(last)
    const reached = new Map<number, number>()
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = downFrom(last, diagonal, edits) ? reach(last, diagonal + 1) : reach(last, diagonal - 1) + 1
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++
      reached.set(diagonal, x)
      if (x >= a.length && x - diagonal >= b.length) return rounds
    }
    last = reached
  }
  return undefined
}

function wayBack(a: readonly string[], b: readonly string[], rounds: readonly Reached[]): Edit[] {
  const edits: Edit[] = []
  let [x, y] = [a.length, b.length]
  for (let round = rounds.length - 1; round >= 0; round--) {
    const last = rounds[round] as Reached
    const down = downFrom(last, x - y, round)
    const from = x - y + (down ? 1 : -1)
    const start = round === 0 ? 0 : reach(last, from)
    const [startY, beforeEdit] = [round === 0 ? 0 : start - from, round > 0]
    const [toX, toY] = beforeEdit ? [start + (down ? 0 : 1), startY + (down ? 1 : 0)] : [0, 0]
    while (x > toX && y > toY) {
      edits.push({ sign: ' ', line: a[--x] as string })
      y--
    }
    if (beforeEdit)
      edits.push(down ? { sign: '+', line: b[startY] as string } : { sign: '-', line: a[start] as string })
    ;[x, y] = [start, startY]
  }
  return edits.reverse()
}

/** Whether a line of the second list is what leads to the diagonal. */
function downFrom(last: Reached, diagonal: number, edits: number): boolean {
  return diagonal === -edits || (diagonal !== edits && reach(last, diagonal - 1) < reach(last, diagonal + 1))
}

function reach(reached: Reached, diagonal: number): number {
  return reached.get(diagonal) ?? -1
}
