import './node-version.mjs';
import { join } from 'node:path';
import { buildStale } from './build-packages.mjs';
import { typedIn } from './environment.mjs';
import { ensureInstalled } from './install.mjs';
import { main, root, run } from './report.mjs';

// `npm start` sets everything up and runs the main job on real input: examples/dependency-audit.
await main(async () => {
  await ensureInstalled();
  await buildStale();
  const program = join(root, 'examples', 'dependency-audit', 'dist', 'main.js');
  const { code } = await run(process.execPath, [program, ...process.argv.slice(2)], { cwd: typedIn });
  return code;
});
