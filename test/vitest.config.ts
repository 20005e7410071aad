import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongFirst } from './support/long-first.ts'

/**
 * Files that nothing else may run beside, and that run after the others: they look at everything on the machine, or at
 * every process of the installation, or they measure how much of a processor something takes.
 */
const alone = ['leak/**/*.test.ts', 'crash/**/*.test.ts', 'integration/{top,trace}.own.test.ts']

/** Half of the time a test waits: for the kernel to make and remove cgroups and namespaces, above all. */
const maxWorkers = availableParallelism() + 1

/** They make real containers. */
const integration = {
  root: import.meta.dirname,
  include: ['integration', 'callers', 'arm64', 'security'].map((directory) => `${directory}/**/*.test.ts`),
  globalSetup: ['support/global-setup.ts'],
  setupFiles: ['../packages/core/src/sys/node-engine.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Some thousand real containers on a machine that others use too; retry-reporter.ts names what needed it.
  retry: process.env['CI'] ? 1 : 0,
}

/** Unit tests need neither root nor a build. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          root: import.meta.dirname,
          include: ['unit/**/*.test.ts', 'fuzz/**/*.test.ts'],
          testTimeout: 10_000,
          setupFiles: ['../packages/core/src/sys/node-engine.ts'],
        },
      },
      { test: { ...integration, name: 'integration', exclude: [...configDefaults.exclude, ...alone], maxWorkers } },
      { test: { ...integration, name: 'integration-alone', include: alone, fileParallelism: false } },
    ],
  },
})
