import { defineConfig } from 'vitest/config'

/** npm run test:package: apart from the other tests, because it takes minutes and installs packages. */
export default defineConfig({
  test: {
    name: 'package',
    root: import.meta.dirname,
    include: ['*.test.ts'],
    setupFiles: ['../../packages/core/src/sys/node-engine.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
})
