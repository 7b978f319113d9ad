import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { contentsOf, fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { alone } from './lock.mjs';
import { logFile, Refusal, root, run, shown, step } from './report.mjs';
import { workspaces } from './workspace.mjs';

const SHARED = ['tsup.shared.ts', 'tsconfig.base.json', 'pnpm-lock.yaml'];
const OWN = ['src', 'package.json', 'tsup.config.ts', 'tsconfig.json'];

const fileName = (workspace) => workspace.name.replace(/^@.*\//, '');
const stampFile = (workspace) =>
  join(root, 'node_modules', '.cache', 'controlplane', `build-${fileName(workspace)}`);

/**
 * What a package is built from: its sources, the shared configuration, what its package.json lists under
 * `buildInputs`, and whatever the packages it depends on are built from.
 */
function inputsOf(workspace, upstreamInputs) {
  const extra = workspace.manifest.buildInputs ?? [];
  return fingerprint({
    base: root,
    paths: [
      ...SHARED.map((name) => join(root, name)),
      ...[...OWN, ...extra].map((name) => join(workspace.dir, name)),
    ],
    also: upstreamInputs,
  });
}

/** @returns {{ workspace: import('./workspace.mjs').Workspace, inputs: string }[]} */
function plan() {
  const inputs = new Map();
  return workspaces()
    .filter((workspace) => workspace.manifest.scripts?.build)
    .map((workspace) => {
      const own = inputsOf(
        workspace,
        workspace.upstream.map((name) => inputs.get(name) ?? null),
      );
      inputs.set(workspace.name, own);
      return { workspace, inputs: own };
    });
}

const stampOf = (item) => `${item.inputs}\n${contentsOf(join(item.workspace.dir, 'dist'))}\n`;
const isStale = (item) =>
  !existsSync(join(item.workspace.dir, 'dist')) || readStamp(stampFile(item.workspace)) !== stampOf(item);

async function buildOne(item) {
  const { workspace } = item;
  const log = logFile(`build-${fileName(workspace)}`);
  const bins = [workspace.dir, root].map((dir) => join(dir, 'node_modules', '.bin'));
  const env = { PATH: [...bins, process.env['PATH']].join(delimiter), NO_COLOR: '1' };
  const { code } = await run(workspace.manifest.scripts.build, [], {
    cwd: workspace.dir,
    log,
    env,
    shell: true,
  });
  if (code !== 0)
    throw new Refusal(`${workspace.name} does not build: ${firstError(log)} (log: ${shown(log)}).`);
  writeStamp(stampFile(workspace), stampOf(item));
}

function firstError(log) {
  const line = readFileSync(log, 'utf8')
    .split('\n')
    .find((text) => /error/i.test(text));
  return line?.trim() ?? 'its build command failed';
}

/** Builds each item once those it depends on are there; independent ones side by side. */
async function buildAll(items) {
  const done = new Map();
  let free = Math.max(1, Math.min(4, availableParallelism()));
  const waiting = [];
  const slot = async () => {
    if (free === 0) await new Promise((resolve) => waiting.push(resolve));
    else free -= 1;
  };
  const release = () => (waiting.length > 0 ? waiting.shift()() : (free += 1));
  for (const item of items) {
    const upstream = item.workspace.upstream.map((name) => done.get(name));
    done.set(
      item.workspace.name,
      Promise.all(upstream).then(async () => {
        await slot();
        await buildOne(item).finally(release);
      }),
    );
  }
  const results = await Promise.allSettled(done.values());
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/**
 * Builds what changed since its last build. An upstream change makes everything downstream stale.
 * @param {{ all?: boolean }} [options]
 */
export async function buildStale({ all = false } = {}) {
  if (!all && !plan().some(isStale)) return;
  await alone(async () => {
    const items = plan().filter((item) => all || isStale(item));
    if (items.length === 0) return;
    await step(`building ${items.map((item) => fileName(item.workspace)).join(', ')}`, () => buildAll(items));
  });
}
