import { defineConfig } from 'vitest/config'

/** Unit tests and the fuzzer need neither root nor a build; integration tests make real containers, one file at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          root: import.meta.dirname,
          include: ['unit/**/*.test.ts'],
          testTimeout: 10_000,
          setupFiles: ['../packages/core/src/sys/node-engine.ts'],
        },
      },
      {
        test: {
          name: 'fuzz',
          root: import.meta.dirname,
          include: ['fuzz/**/*.test.ts'],
          testTimeout: 10_000,
          setupFiles: ['../packages/core/src/sys/node-engine.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          root: import.meta.dirname,
          include: [
            'integration/**/*.test.ts',
            'callers/**/*.test.ts',
            'arm64/**/*.test.ts',
            'leak/**/*.test.ts',
            'security/**/*.test.ts',
            'crash/**/*.test.ts',
          ],
          globalSetup: ['support/global-setup.ts'],
          setupFiles: ['../packages/core/src/sys/node-engine.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Some thousand real containers on a machine that others use too; retry-reporter.ts names what needed it.
          retry: process.env['CI'] ? 1 : 0,
        },
      },
    ],
  },
})
