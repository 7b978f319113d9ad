import { access, constants, mkdir } from 'node:fs/promises';
import { createRunner } from '@controlplane/runner-sdk';
import type { CommandArguments } from './command-arguments.js';
import { planDaemon } from './daemon-plan.js';
import { HOST_KINDS } from './host-kinds.js';

/** One thing that was looked at. */
export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What is looked at, and with what. */
export interface DoctorOptions {
  readonly values: CommandArguments['values'];
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly fetch: typeof globalThis.fetch;
}

const REACH_MS = 5_000;

const sayThrown = (error: unknown): string => {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error
    ? `${message}: ${cause.message || String(Reflect.get(cause, 'code'))}`
    : message;
};

/** An address without a user and password in it, which are not shown, and which `fetch` does not take. */
function withoutUser(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.username === '' && url.password === '')) return address;
  url.username = '';
  url.password = '';
  return url.href;
}

/** Anybody who speaks HTTP there is enough: what is asked for need not exist. */
async function looksReachable(address: string, fetch: typeof globalThis.fetch): Promise<DoctorCheck> {
  const url = withoutUser(address);
  const name = `${url} answers`;
  try {
    const { status } = await fetch(url.replace(/^ws/, 'http'), { signal: AbortSignal.timeout(REACH_MS) });
    return { name, ok: true, detail: `HTTP ${status}` };
  } catch (error) {
    return { name, ok: false, detail: `${sayThrown(error)}. Is it running, and is the address right?` };
  }
}

async function looksWritable(folder: string | undefined): Promise<DoctorCheck> {
  const name = 'what must outlive the process can be kept';
  if (!folder)
    return {
      name,
      ok: true,
      detail: 'no state directory: an enrollment and results are lost with the process',
    };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return { name, ok: true, detail: folder };
  } catch (error) {
    return { name, ok: false, detail: `${sayThrown(error)}. Name another folder by --state-dir.` };
  }
}

/**
 * Looks whether a runner of these arguments could be started; starts none, and enrolls nobody. The state directory is
 * made, and what a runner that was killed left running is ended: asked by the runner's own user, it is theirs.
 */
export async function examine({ values, env, version, fetch }: DoctorOptions): Promise<DoctorCheck[]> {
  const name = 'options and environment make a runner';
  try {
    const { kinds, options, warnings } = await planDaemon(values, env, version);
    const { manifest } = createRunner({ ...options, handleSignals: false, logger: false });
    const offered = manifest.capabilities.map(({ id }) => id).join(', ');
    const urls = kinds.flatMap((kind) => HOST_KINDS[kind]?.urls(env, values) ?? []);
    return [
      {
        name,
        ok: true,
        detail: [`${manifest.name} offers ${offered} to ${kinds.join(', ')}`, ...warnings].join('; '),
      },
      await looksWritable(values['state-dir'] ?? env['RUNNER_STATE_DIR']),
      ...(await Promise.all(urls.map((url) => looksReachable(url, fetch)))),
    ];
  } catch (error) {
    return [{ name, ok: false, detail: sayThrown(error) }];
  }
}
