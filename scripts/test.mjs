import './node-version.mjs';
import { join } from 'node:path';
import { buildStale } from './build-packages.mjs';
import { ensureInstalled } from './install.mjs';
import { cacheDir, main, root, run } from './report.mjs';

// `npm test` sets everything up and runs the tests; `npm test -- packages/contracts -t envelope` passes on to vitest.
await main(async () => {
  const given = process.argv.slice(2);
  const slow = given.includes('--slow');
  const args = given.filter((argument) => argument !== '--slow');
  await ensureInstalled();
  await buildStale();
  const report = join(cacheDir, slow ? 'tests-slow.json' : 'tests.json');
  const reporters = args.some((argument) => argument.startsWith('--reporter'))
    ? []
    : ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const config = ['--config', slow ? 'vitest.slow.config.ts' : 'vitest.config.ts'];
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  return (await run(process.execPath, [vitest, 'run', ...config, ...reporters, ...args])).code;
});
