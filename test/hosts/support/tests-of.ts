/** The integration tests, run in a machine that has the repository: what they were on this host they are there. */
import { join, resolve } from 'node:path'
import { countRun, failuresOf, type JsonReport } from '../../run/test-counts.ts'
import type { Machine } from '../../support/machine.ts'
import { productNode } from '../../support/node.ts'

export const repository = resolve(import.meta.dirname, '../../..')

/** What the tests run and compile, by the names of any release. The Node of the repository needs libstdc++6. */
export const testPackages =
  'busybox-static gcc iproute2 libc6-dev libseccomp2 libstdc++6 mount procps strace uidmap'.split(' ')

/** How one file of tests has ended. */
export interface Ended {
  readonly passed: number
  readonly skipped: number
  /** Each with what was said of it. */
  readonly failures: readonly string[]
}

/** Runs the files, paths below test/, and returns how each has ended. */
export async function runTests(machine: Machine, files: readonly string[]): Promise<ReadonlyMap<string, Ended>> {
  const report = '/tmp/report.json'
  const vitest = [join(repository, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts']
  const reporters = ['--reporter=json', `--outputFile.json=${report}`]
  const { status, stdout, stderr } = await machine.run(`
    cd ${repository}
    CI=true ${[productNode() ?? '', ...vitest, '--project', 'integration', ...reporters, ...files].join(' ')}`)
  const whole = JSON.parse(await machine.output(`cat ${report}`).catch(() => '{"testResults":[]}')) as JsonReport
  if (whole.testResults.length === 0) throw new Error(`vitest ended with ${status}: ${stdout}${stderr}`)
  return new Map(files.map((file) => [file, endedOf(whole, file)]))
}

function endedOf({ testResults }: JsonReport, file: string): Ended {
  const report: JsonReport = { testResults: testResults.filter(({ name }) => name.endsWith(`/test/${file}`)) }
  const { passed, failed, skipped } = countRun(report, 0)
  return { passed, skipped, failures: failed > 0 ? failuresOf(report, 1) : [] }
}
