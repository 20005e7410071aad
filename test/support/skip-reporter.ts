import type { Reporter, TestModule } from 'vitest/node'
import allowedSkips from '../allowed-skips.json' with { type: 'json' }

/**
 * Fails the run when a test was skipped whose note is not `needs NAME: ...` with every NAME in allowed-skips.json,
 * so that neither `it.skip` nor a machine without something can thin the suite out unseen.
 */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const unexpected = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].flatMap((test) => {
        const result = test.result()
        const note = result.state === 'skipped' ? (result.note ?? '') : ''
        return isAllowed(note) ? [] : [`${module.relativeModuleId} > ${test.fullName}: ${note || 'no reason given'}`]
      }),
    )
    if (unexpected.length === 0) return
    console.error(`\nskipped, but not on test/allowed-skips.json:\n  ${unexpected.join('\n  ')}\n`)
    process.exitCode = 1
  }
}

function isAllowed(note: string): boolean {
  const names = note.split('; ').map((part) => /^needs ([a-z0-9-]+):/.exec(part)?.[1])
  return names.every((name) => name !== undefined && name in allowedSkips)
}
