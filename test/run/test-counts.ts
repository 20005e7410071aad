/** What is read of vitest's JSON report. */
export interface JsonReport {
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string
    readonly status: string
    /** Of a file that does not load: why. */
    readonly message?: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName?: string
      /** One for each attempt. */
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

/** How many tests ended in which way. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Counts one run. A file that failed without a failed test (it does not load, a hook threw) counts as one failure, and
 * so does a run that ended with another status than 0 although nothing in it failed, or that left no report.
 */
export function countRun(report: JsonReport | undefined, exitStatus: number): Counts {
  const files = report?.testResults ?? []
  const statuses = files.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status))
  const count = (status: string) => statuses.filter((each) => each === status).length
  const brokenFiles = files.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  ).length
  const failed = count('failed') + brokenFiles
  const unexplained = failed === 0 && (report === undefined || exitStatus !== 0) ? 1 : 0
  const passed = count('passed')
  return { passed, failed: failed + unexplained, skipped: statuses.length - passed - count('failed') }
}

/** The part of a run that the files below test/DIRECTORY are; undefined when it has none. */
export function countPart(report: JsonReport | undefined, directory: string): Counts | undefined {
  const testResults = report?.testResults.filter(({ name }) => name.includes(`/test/${directory}/`)) ?? []
  return testResults.length === 0 ? undefined : countRun({ testResults }, 0)
}

export function addCounts(counts: readonly Counts[]): Counts {
  const sum = (pick: (each: Counts) => number) => counts.reduce((total, each) => total + pick(each), 0)
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
  }
}

/** "12 passed, 0 failed", and how many were skipped when any was. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

const MESSAGE_LINES = 12

/** What failed in a run, each as its file and name, then the beginning of what was said about it. */
export function failuresOf(report: JsonReport | undefined, exitStatus: number): string[] {
  const named = namedFailures(report)
  if (named.length > 0 || (report !== undefined && exitStatus === 0)) return named
  return [`no test of it failed, and it ended with status ${exitStatus}: see what it printed`]
}

function namedFailures(report: JsonReport | undefined): string[] {
  return (report?.testResults ?? []).flatMap(({ name, status, message = '', assertionResults }) => {
    const file = name.replace(/^.*\/test\//, 'test/')
    const failed = assertionResults.filter((result) => result.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [describe(file, message)] : []
    return failed.map(({ fullName = '', failureMessages = [] }) =>
      describe(`${file} > ${fullName}`, failureMessages.join('\n')),
    )
  })
}

function describe(title: string, message: string): string {
  return [title, ...message.split('\n').filter(Boolean).slice(0, MESSAGE_LINES)].join('\n  ')
}
