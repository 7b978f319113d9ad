import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { alone } from './lock.mjs';
import { logFile, Refusal, root, run, shown, step } from './report.mjs';
import { rootManifest, workspaces } from './workspace.mjs';

// Inside node_modules: whoever removes that folder removes the claim that it is complete.
const stampFile = join(root, 'node_modules', '.cache', 'controlplane', 'install');
const FIELDS = ['name', 'bin', 'dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

function installFingerprint() {
  const manifests = [rootManifest(), ...workspaces().map((workspace) => workspace.manifest)];
  return fingerprint({
    base: root,
    paths: ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'].map((name) => join(root, name)),
    also: [
      manifests.map((manifest) => FIELDS.map((field) => manifest[field] ?? null)),
      process.version,
      process.platform,
      process.arch,
    ],
  });
}

/** The pinned package manager, fetched by npm when it is not in npm's cache yet: `npx --yes pnpm@<pin>`. */
export function pnpm(args) {
  const pinned = rootManifest().packageManager;
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  return ['npx', ['--yes', '--prefer-offline', ...patience, pinned, ...args]];
}

const REASONS = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ECONNRESET|ENOTCACHED|ERR_PNPM_META_FETCH_FAIL/,
    'The packages could not be fetched: the registry is not reachable. Check the network (or the proxy) and run the same command again',
  ],
  [
    /ERR_PNPM_OUTDATED_LOCKFILE/,
    `pnpm-lock.yaml does not match the package.json files. Run \`npx ${rootManifest().packageManager} install\`, commit the lockfile and try again`,
  ],
  [/ENOSPC/, 'The disk is full. Free about 400 MB and run the same command again'],
  [
    /EACCES|EPERM/,
    'A folder of this checkout cannot be written. Give yourself the rights to it and run the same command again',
  ],
];

function explain(output) {
  return REASONS.find(([pattern]) => pattern.test(output))?.[1] ?? 'The packages could not be installed';
}

async function install() {
  const log = logFile('install');
  const args = [
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
    '--config.confirmModulesPurge=false',
  ];
  const { code, output } = await run(...pnpm([...args, '--config.fetchRetries=1']), {
    log,
    shell: process.platform === 'win32',
  });
  if (code !== 0) throw new Refusal(`${explain(output())} (log: ${shown(log)}).`);
  writeStamp(stampFile, installFingerprint());
}

const isInstalled = () => existsSync(stampFile) && readStamp(stampFile) === installFingerprint();

/** Installs what the lockfile says, only when something that decides about it has changed since the last time. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  await alone(async () => {
    if (!isInstalled()) await step('installing packages', install);
  });
}
