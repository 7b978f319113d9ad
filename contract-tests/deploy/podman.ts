/**
 * @module
 * The files of docs/deploy as a team would use them: images that are built and run, units that systemd reads. Images
 * are kept in a folder of the test's own; nothing is pulled.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An engine with a store of its own. */
export interface Podman {
  /** Runs `podman` with these arguments; rejects with all that it said when it fails. */
  readonly call: (...args: string[]) => Promise<string>;
  /** Leads another command that uses podman to this store. */
  readonly variables: Record<string, string>;
  /** Makes an image of a folder. */
  readonly importFolder: (folder: string, options: readonly string[], name: string) => Promise<void>;
  /** Ends what runs and forgets everything. */
  readonly close: () => Promise<void>;
}

/** Why there is no engine here, or undefined where there is one. */
export async function missingEngine(): Promise<string | undefined> {
  const why = process.getuid?.() === 0 ? await saidOf('podman') : 'the tests of images run as root';
  if (why !== undefined && process.env['CI']) throw new Error(`${why}: CI needs it.`);
  return why;
}

async function saidOf(program: string): Promise<string | undefined> {
  try {
    await run(program, ['--version']);
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}

const containers = (folder: string): string => `[engine]
runtime="runc"
cgroup_manager="cgroupfs"
events_logger="file"
[containers]
default_ulimits=["nofile=1024:1024","nproc=1024:1024"]
[network]
network_config_dir="${join(folder, 'networks')}"
`;

const storage = (folder: string): string => `[storage]
driver="vfs"
runroot="${join(folder, 'run')}"
graphroot="${join(folder, 'graph')}"
`;

/** Opens an engine. Not below /tmp: a file system in memory would be filled. */
export function openPodman(): Podman {
  const folder = mkdtempSync('/var/tmp/controlplane-images-');
  for (const name of ['graph', 'networks']) mkdirSync(join(folder, name));
  const [conf, storageConf] = [join(folder, 'containers.conf'), join(folder, 'storage.conf')];
  writeFileSync(conf, containers(folder));
  writeFileSync(storageConf, storage(folder));
  const variables = { CONTAINERS_CONF: conf, CONTAINERS_STORAGE_CONF: storageConf };
  const env = { ...process.env, ...variables };

  async function call(...args: string[]): Promise<string> {
    try {
      const { stdout } = await run('podman', args, { env, maxBuffer: 64 * 1024 * 1024 });
      return stdout.trim();
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`podman ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  }

  return {
    call,
    variables,
    async importFolder(from, options, name) {
      const tar = spawn('tar', ['-C', from, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const podman = spawn('podman', ['import', ...options, '-', name], {
        env,
        stdio: ['pipe', 'ignore', 'pipe'],
      });
      let said = '';
      podman.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      tar.stdout.pipe(podman.stdin);
      const [code] = (await once(podman, 'close')) as [number];
      if (code !== 0) throw new Error(`podman import ended with ${code}:\n${said}`);
    },
    async close() {
      await call('rm', '--all', '--force', '--time', '0').finally(() =>
        rmSync(folder, { recursive: true, force: true }),
      );
    },
  };
}
