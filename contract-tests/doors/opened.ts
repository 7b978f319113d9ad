/**
 * @module
 * JobForge with doors for the runners of other control planes, and such runners behind them: those of our SDK's hosts,
 * which say there what the other control planes' own runners say.
 */
import type { TokenCreation } from '@controlplane/contracts';
import { createJobForge, type JobForge, type JobForgeOptions } from '@controlplane/jobforge';
import { onTestFinished } from 'vitest';

export const ADMIN_TOKEN = 'an-admin-token-of-enough-characters-for-a-test';

/** A JobForge that asks for credentials. */
export interface Opened {
  readonly forge: JobForge;
  readonly url: string;
  /** A new enrollment token. */
  token(request?: Partial<TokenCreation> & { readonly name?: string }): Promise<string>;
  /** Resolves when a runner of that name is there, and takes work. */
  online(name: string): Promise<string>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 30_000;

/** Starts one with the doors that are named; it is gone when the test is over. */
export async function openForge(
  accept: NonNullable<JobForgeOptions['accept']>,
  options: JobForgeOptions = {},
): Promise<Opened> {
  const forge = await createJobForge({
    store: 'memory',
    listen: { port: 0 },
    auth: { adminToken: ADMIN_TOKEN },
    accept,
    ...options,
  }).start();
  const stop = async (): Promise<void> => void (await forge.stop({ drainMs: 0 }));
  onTestFinished(stop);
  let tokens = 0;
  return {
    forge,
    url: forge.url ?? '',
    async token({ name = `fleet-${(tokens += 1)}`, ...more } = {}) {
      const request = { kind: 'enrollment', name, lifetimeMs: 3_600_000, maxMachines: 9, durable: true };
      const made = await forge.operations.createToken({ ...request, ...more } as TokenCreation);
      return made.token;
    },
    async online(name) {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const all = await forge.operations.listRunners();
        const found = all.find((runner) => runner.name === name && runner.status === 'healthy');
        if (found) return found.id;
        if (Date.now() > until) throw new Error(`no runner ${name} among ${JSON.stringify(all)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop,
  };
}

/** All that a job printed, stream by stream. */
export async function printedBy(forge: JobForge, jobId: string): Promise<{ stdout: string; stderr: string }> {
  const printed = { stdout: '', stderr: '' };
  for await (const event of forge.operations.jobEvents(jobId)) {
    const { type, data } = event as { readonly type: string; readonly data?: Record<string, unknown> };
    if (type !== 'job.log' || data === undefined) continue;
    const { stream, message } = data as { readonly stream?: 'stdout' | 'stderr'; readonly message: string };
    if (stream) printed[stream] += message;
  }
  return printed;
}

/** A job that runs a line for the shell on one of them, once. */
export const commandJob = (command: string, more: object = {}) => ({
  capability: 'shell.full',
  input: { command },
  retryPolicy: { maxRetries: 0 },
  ...more,
});
