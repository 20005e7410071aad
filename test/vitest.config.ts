import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongFirst } from './support/long-first.ts'

/** Half of the time a test waits: for the kernel to make and remove cgroups and namespaces, above all. */
const maxWorkers = Math.min(availableParallelism() + 1, 8)

const testsOf = (...directories: string[]): string[] => directories.map((name) => `${name}/**/*.test.ts`)

/** They make real containers. */
const integration = {
  root: import.meta.dirname,
  globalSetup: ['support/global-setup.ts'],
  setupFiles: ['../packages/core/src/sys/node-engine.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Some thousand real containers on a machine that others use too; retry-reporter.ts names what needed it.
  retry: process.env['CI'] ? 1 : 0,
}

/** Unit tests and the fuzzer need neither root nor a build. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          root: import.meta.dirname,
          include: ['unit/**/*.test.ts'],
          testTimeout: 10_000,
          setupFiles: ['../packages/core/src/sys/node-engine.ts'],
        },
      },
      {
        test: {
          name: 'fuzz',
          sequence: { groupOrder: 1 },
          root: import.meta.dirname,
          include: ['fuzz/**/*.test.ts'],
          testTimeout: 10_000,
          setupFiles: ['../packages/core/src/sys/node-engine.ts'],
        },
      },
      // None has `exclude`, which would take the place of the command line's.
      {
        test: {
          ...integration,
          name: 'integration',
          sequence: { groupOrder: 2 },
          include: testsOf('integration', 'callers', 'arm64', 'security'),
          maxWorkers,
        },
      },
      // After the others, one file at a time: they look at everything on the machine, or at every process of the installation.
      {
        test: {
          ...integration,
          name: 'integration-alone',
          sequence: { groupOrder: 3 },
          include: testsOf('leak', 'crash'),
          fileParallelism: false,
        },
      },
    ],
  },
})
