// What a user of the SDK pays before the first line of their own runs: cold import in a fresh process, installed size
// and number of packages, beside two peers that npm installs the same way.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { footprint, npmInstall, pack } from './harness/installed.mjs';
import { interleaved, median } from './harness/interleaved.mjs';
import { report, round } from './harness/report.mjs';

const ROUNDS = 15;
const PEERS = { bullmq: 'bullmq@6.7.0', inngest: 'inngest@4.24.0' };
const TIMED =
  'const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t);';

const folder = mkdtempSync(join(tmpdir(), 'import-cost-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const own = ['contracts', 'runner-sdk'].map((name) => pack(name, join(folder, 'tarballs')));
const installed = {
  'runner-sdk': { name: '@controlplane/runner-sdk', from: own },
  ...Object.fromEntries(Object.entries(PEERS).map(([name, from]) => [name, { name, from: [from] }])),
};
for (const [key, { from }] of Object.entries(installed)) npmInstall(join(folder, key), from);

const run = promisify(execFile);
const coldImport = (key) => async () => {
  const args = ['--input-type=module', '--eval', TIMED, installed[key].name];
  const { stdout } = await run(process.execPath, args, {
    cwd: join(folder, key),
    env: { PATH: process.env.PATH },
  });
  return Number(stdout);
};

const keys = Object.keys(installed);
const variants = Object.fromEntries(keys.map((key) => [key, coldImport(key)]));
await interleaved(variants, 2);
const times = await interleaved(variants, ROUNDS);

for (const key of keys) {
  const { bytes, packages } = footprint(join(folder, key));
  const version = PEERS[key] ?? '@controlplane/runner-sdk (aims: ≤ 150 ms, ≤ 20 MB)';
  report(version, {
    [`cold import, ms (median of ${ROUNDS})`]: round(median(times[key]), 1),
    'installed, MB': round(bytes / 1e6, 1),
    'packages installed': packages,
  });
}
