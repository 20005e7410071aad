/**
 * summary.ts DIRECTORY: one line per run of vitest from its NAME.json and NAME.status there, then their sum as the last
 * line: "N passed, N failed[, N skipped]"; between them what failed. Ends with status 1 unless something passed and nothing failed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  addCounts,
  type Counts,
  countPart,
  countRun,
  failuresOf,
  formatCounts,
  type JsonReport,
} from './test-counts.ts'

const directory = process.argv[2]
if (directory === undefined) throw new Error('usage: summary.ts DIRECTORY')

const runs = readdirSync(directory)
  .filter((name) => name.endsWith('.status'))
  .map((name) => basename(name, '.status'))
const reports = runs.map((run) => readReport(join(directory, `${run}.json`)))
const statuses = runs.map((run) => readStatus(run))
const counts = runs.map((_, n) => countRun(reports[n], statuses[n] ?? 0))
/** Directories whose cases are counted apart as well: what they show is a promise of its own. */
const parts = ['callers']
const width = Math.max(...runs.map((run) => run.length))
for (const [n, run] of runs.entries()) {
  console.log(`  ${run.padEnd(width)}  ${formatCounts(counts[n] as Counts)}`)
  for (const part of parts) {
    const counted = countPart(reports[n], part)
    if (counted) console.log(`    of these ${part}: ${formatCounts(counted)}`)
  }
}

// Here, because a long output may be kept from its end only.
for (const [n, run] of runs.entries())
  for (const failure of failuresOf(reports[n], statuses[n] ?? 0)) console.log(`\n${run}: ${failure}`)

const total = addCounts(counts)
console.log(`\n${formatCounts(total)}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

function readReport(path: string): JsonReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // vitest did not get as far as writing it
  }
}

function readStatus(run: string): number {
  return Number(readFileSync(join(directory as string, `${run}.status`), 'utf8'))
}
