/**
 * The main job on real input: JobForge and a runner in one process, two jobs over a folder's installed packages, their
 * progress while they run, their results as tables. `npm start` runs this.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { audit } from './audit.js';
import { boot, type System } from './boot.js';
import { isEmptyInstallation } from './installed-packages.js';
import { readOptions, USAGE, UsageError, type Options } from './options.js';

/** Aborted when nobody reads the output any more, as after `| head`: no fault, but a reason to end in order. */
const unread = new AbortController();
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    unread.abort();
  });
}

async function run(options: Options): Promise<void> {
  if (await isEmptyInstallation(options.dir))
    return console.log(`No packages were found in ${join(options.dir, 'node_modules')}.`);
  const stopping = new AbortController();
  unread.signal.addEventListener('abort', () => stopping.abort());
  const stop = (): void => stopping.abort();
  // The first signal ends in order; with the listeners gone, a second one ends at once.
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const system = await boot(options);
  try {
    await present(system, options, stopping.signal);
  } finally {
    await system.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function present(system: System, options: Options, signal: AbortSignal): Promise<void> {
  console.log(`JobForge          ${system.url}   (jobs kept in ${options.data})`);
  console.log(`dependency-audit  ready · ${system.capabilities.join(', ')}\n`);
  const passed = await audit(system.forge, options.dir, { output: process.stdout, signal });
  if (!passed && !unread.signal.aborted) process.exitCode = 1;
  if (options.exit || signal.aborted) return;
  console.log(`\nJobForge goes on serving at ${system.url} until Ctrl-C. Try, in another terminal:`);
  console.log(
    `  npx jobforge job submit deps.licenses '${JSON.stringify({ dir: options.dir })}' --follow --url ${system.url}`,
  );
  await once(signal, 'abort');
  console.log('\nstopping …');
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof UsageError ? `✗ ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
