import { defineConfig } from 'vitest/config';
import { sourceAliases } from './vitest.shared.js';

/** The tests that take their time: real installs, kill -9 rounds, a second minute. `pnpm test:slow`. */
export default defineConfig({
  resolve: { alias: sourceAliases },
  test: {
    include: ['{packages,contract-tests,examples,scripts}/**/*.slow.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A machine that does much else takes its time.
    expect: { poll: { timeout: 10_000 } },
    // They start installs and servers of their own; two at a time would only measure each other.
    fileParallelism: false,
    passWithNoTests: true,
  },
});
