import './node-version.mjs';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buildStale } from './build-packages.mjs';
import { checkChangesets } from './changesets.mjs';
import { ensureInstalled } from './install.mjs';
import { cacheDir, logFile, main, Refusal, root, run, seconds } from './report.mjs';
import { workspaces } from './workspace.mjs';

// `pnpm check` runs every check and says at the end which failed; `pnpm check lint imports` only those named.

const bin = join(root, 'node_modules', '.bin');
const published = () => workspaces().filter(({ manifest }) => manifest.private !== true);
const typed = () =>
  [root, ...workspaces().map(({ dir }) => dir)].filter((dir) => existsSync(join(dir, 'tsconfig.json')));

/** What each check runs: commands in a folder, or a function that throws a Refusal. The build comes first: types need it. */
const CHECKS = {
  build: () => buildStale(),
  format: [['oxfmt --list-different']],
  lint: [['oxlint --format unix']],
  types: () => typed().map((dir) => ['tsc --noEmit -p .', dir]),
  imports: [
    ["depcruise 'packages/*/src' examples contract-tests benchmarks --config .dependency-cruiser.cjs"],
  ],
  unused: [['knip']],
  publint: () => published().map(({ dir }) => ['publint --strict --pack false', dir]),
  attw: () =>
    published()
      .filter(({ manifest }) => manifest.exports)
      .map(({ dir }) => ['attw --pack . --profile node16', dir]),
  size: [['size-limit']],
  // Loaded when it is run: its tool is not there before the installation.
  api: async () => (await import('./api-reports.mjs')).checkApiReports(),
  changesets: () => checkChangesets(),
};

async function runCheck(name, check) {
  const commands = typeof check === 'function' ? await check() : check;
  let output = '';
  for (const [command, dir = root] of commands ?? []) {
    const log = logFile(`check-${name}`);
    const env = { PATH: [bin, process.env['PATH']].join(delimiter), NO_COLOR: '1' };
    const result = await run(command, [], { cwd: dir, log, env, shell: true });
    if (result.code !== 0)
      output += `$ ${command}   (${dir === root ? '.' : dir.slice(root.length + 1)})\n${result.output()}\n`;
  }
  if (output) {
    writeFileSync(logFile(`check-${name}`), output);
    throw new Refusal(output.trimEnd());
  }
}

/** @returns {Promise<{ name: string, ok: boolean, ms: number }>} */
async function judge(name) {
  const startedAt = performance.now();
  let ok = true;
  try {
    await runCheck(name, CHECKS[name]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    ok = false;
    console.log(excerpt(error.message, name));
  }
  console.log(`${ok ? '✓' : '✗'} ${name.padEnd(12)} ${seconds(startedAt)}`);
  return { name, ok, ms: Math.round(performance.now() - startedAt) };
}

function excerpt(text, name) {
  const lines = text.split('\n').filter((line) => !line.startsWith('npm warn'));
  const shown = lines.slice(0, 80).map((line) => `    ${line}`);
  return [
    ...shown,
    ...(lines.length > 80 ? [`    … ${lines.length - 80} lines more in .cache/check-${name}.log`] : []),
  ].join('\n');
}

await main(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !(name in CHECKS));
  if (unknown)
    throw new Refusal(`There is no check "${unknown}". There are: ${Object.keys(CHECKS).join(', ')}.`);
  await ensureInstalled();
  const results = [];
  for (const name of wanted.length > 0 ? wanted : Object.keys(CHECKS)) results.push(await judge(name));
  writeFileSync(join(cacheDir, 'check.json'), JSON.stringify(results));
  const failed = results.filter((result) => !result.ok).map((result) => result.name);
  console.log(failed.length === 0 ? `all ${results.length} checks passed` : `failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
});
