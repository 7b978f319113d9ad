import './node-version.mjs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildStale } from './build-packages.mjs';
import { cleanOwnEnvironment, typedIn } from './environment.mjs';
import { ensureInstalled } from './install.mjs';
import { main, Refusal, root } from './report.mjs';
import { meantCommand } from './swallowed-flags.mjs';

// `npm start` sets everything up and runs the main job on real input: examples/dependency-audit. It runs in this very
// process, so that a signal reaches it once, whoever sends it.
await main(async () => {
  const meant = meantCommand(process.env, process.argv.slice(2));
  if (meant) throw new Refusal(`npm kept the flags for itself: they go after "--", so type ${meant}`);
  await ensureInstalled();
  await buildStale();
  const program = join(root, 'examples', 'dependency-audit', 'dist', 'main.js');
  process.argv[1] = program;
  process.chdir(typedIn);
  cleanOwnEnvironment();
  await import(pathToFileURL(program).href);
  return Number(process.exitCode ?? 0);
});
