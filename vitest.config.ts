import { defineConfig } from 'vitest/config';
import { sourceAliases } from './vitest.shared.js';

/** The tests of `npm test`. What takes longer than a few seconds is named `*.slow.test.ts` and runs in `pnpm test:slow`. */
export default defineConfig({
  resolve: { alias: sourceAliases },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'contract-tests/**/*.test.ts',
      'examples/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.slow.test.ts'],
    // Most of them wait: for a process, a socket, a disk. One worker would leave a second core idle.
    maxWorkers: '100%',
    testTimeout: 20_000,
    // A machine that does much else takes its time.
    expect: { poll: { timeout: 10_000 } },
    typecheck: {
      enabled: true,
      include: ['packages/*/src/**/*.test-d.ts'],
      tsconfig: './tsconfig.test-d.json',
    },
  },
});
