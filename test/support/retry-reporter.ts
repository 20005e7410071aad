import type { Reporter, TestModule } from 'vitest/node'

/** Names the tests that passed at the second attempt only: they depend on time, and each is worth a look. */
export default class RetryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const repeated = modules.flatMap((module) =>
      [...module.children.allTests('passed')]
        .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    )
    if (repeated.length > 0) console.log(`\npassed at the second attempt:\n  ${repeated.join('\n  ')}\n`)
  }
}
