/**
 * Test projects: unit beside the source, suites of real clients, crash tests, conformance vectors.
 * Everything reads TypeScript source through the `@cairn/source` condition; no build is needed but that of the EVM.
 */
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const conditions = ['@cairn/source', 'node', 'import', 'default']
// The EVM's WebAssembly is the one thing that tests need built; done in a moment when it is there.
const globalSetup = ['scripts/build-evm.js']
// No test may fail because a machine is slow: these are guards against waiting for ever, not measures of speed.
const guardMs = 600_000
const guards = {
  testTimeout: guardMs,
  hookTimeout: guardMs,
  expect: { poll: { timeout: guardMs / 2 } },
}
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
}

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'bench/src/*.test.ts',
            'fuzz/src/*.test.ts',
            'scripts/*.test.ts',
          ],
          exclude: ['**/*.client.test.ts', '**/*.crash.test.ts'],
          ...guards,
          globalSetup,
        },
      },
      {
        ...shared,
        test: {
          name: 'clients',
          include: ['**/src/**/*.client.test.ts', 'conformance/**/*.client.test.ts'],
          ...guards,
          globalSetup,
        },
      },
      {
        ...shared,
        test: {
          name: 'crash',
          include: ['**/src/**/*.crash.test.ts'],
          ...guards,
          globalSetup,
        },
      },
      {
        ...shared,
        test: {
          name: 'simulator',
          include: ['simulator/src/**/*.test.ts'],
          ...guards,
          globalSetup,
        },
      },
      {
        ...shared,
        test: {
          name: 'conformance',
          include: ['conformance/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.client.test.ts'],
          ...guards,
          globalSetup,
        },
      },
    ],
  },
})

export default config
