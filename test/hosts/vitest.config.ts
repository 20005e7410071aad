import { defineConfig } from 'vitest/config'

/** npm run test:hosts: apart from the other tests, because it installs other releases' programs and takes long. */
export default defineConfig({
  test: {
    name: 'hosts',
    root: import.meta.dirname,
    include: ['**/*.own.test.ts'],
    setupFiles: ['../../packages/core/src/sys/node-engine.ts'],
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
    // They make machines, each with cgroups of its own, on what may be two processors.
    fileParallelism: false,
  },
})
