import { expect, test } from 'vitest'
import { addCounts, countPart, countRun, failuresOf, formatCounts } from '../../run/test-counts.ts'

const file = (status: string, ...tests: string[]) => ({
  name: '/repo/test/unit/some.test.ts',
  status,
  assertionResults: tests.map((each) => ({ status: each })),
})

test.each([
  {
    title: 'every test by its status',
    report: { testResults: [file('passed', 'passed', 'skipped'), file('failed', 'passed', 'failed', 'pending')] },
    exitStatus: 1,
    counts: { passed: 2, failed: 1, skipped: 2 },
  },
  {
    title: 'a file that does not load as a failure',
    report: { testResults: [file('failed'), file('passed', 'passed')] },
    exitStatus: 1,
    counts: { passed: 1, failed: 1, skipped: 0 },
  },
  {
    title: 'a run that ended badly without a failed test as a failure',
    report: { testResults: [file('passed', 'passed')] },
    exitStatus: 1,
    counts: { passed: 1, failed: 1, skipped: 0 },
  },
  {
    title: 'a run without a report as a failure, whatever its exit status',
    report: undefined,
    exitStatus: 0,
    counts: { passed: 0, failed: 1, skipped: 0 },
  },
])('countRun() counts $title', ({ report, exitStatus, counts }) => {
  expect(countRun(report, exitStatus)).toEqual(counts)
})

test('countPart() counts the files below a directory, and is undefined without one', () => {
  const callers = { ...file('passed', 'passed', 'passed'), name: '/repo/test/callers/a/b.test.ts' }
  const report = { testResults: [file('failed', 'failed'), callers] }
  expect(countPart(report, 'callers')).toEqual({ passed: 2, failed: 0, skipped: 0 })
  expect(countPart(report, 'fuzz')).toBeUndefined()
})

test('formatCounts() of a sum is the closing line', () => {
  const run = { passed: 12, failed: 0, skipped: 0 }
  expect(formatCounts(addCounts([run, { ...run, failed: 1 }]))).toBe('24 passed, 1 failed')
  expect(formatCounts(addCounts([run, { ...run, skipped: 3 }]))).toBe('24 passed, 0 failed, 3 skipped')
})

test('failuresOf() names tests with what they said, and files that do not load', () => {
  const long = Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n')
  const failed = { status: 'failed', fullName: 'kill ends it', failureMessages: ['not equal', long] }
  const testResults = [
    { name: '/x/test/unit/a.test.ts', status: 'failed', assertionResults: [{ status: 'passed' }, failed] },
    { name: '/x/test/unit/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
    file('passed', 'passed'),
  ]
  const [first = '', second, ...more] = failuresOf({ testResults }, 1)
  expect(first.split('\n').slice(0, 3)).toEqual(['test/unit/a.test.ts > kill ends it', '  not equal', '  line 0'])
  expect(first.split('\n').length).toBe(13)
  expect(second).toBe('test/unit/b.test.ts\n  no such module')
  expect(more).toEqual([])
})

test('failuresOf() says so when it can name none', () => {
  const testResults = [file('passed', 'passed')]
  expect(failuresOf({ testResults }, 0)).toEqual([])
  expect(failuresOf({ testResults }, 1)).toEqual([expect.stringContaining('it ended with status 1')])
  expect(failuresOf(undefined, 124)).toEqual([expect.stringContaining('it ended with status 124')])
})
