/** The value below which the given part of all values lies, between two of them by proportion; throws for an empty list. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = part * (sorted.length - 1)
  const [lower, upper] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (lower === undefined || upper === undefined) throw new Error('no values to take a quantile of')
  return lower + (upper - lower) * (at - Math.floor(at))
}

/** The middle value, or the mean of the two in the middle; throws for an empty list. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** What a run on a machine at rest takes: a tenth of the runs are faster. */
export function tenthPercentile(values: readonly number[]): number {
  return quantile(values, 0.1)
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
