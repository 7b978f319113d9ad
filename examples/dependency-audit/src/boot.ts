import { createJobForge, isJobForgeError, type JobForge } from '@controlplane/jobforge';
import { createRunner } from '@controlplane/runner-sdk';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { duplicates, licenses } from './capabilities.js';
import { UsageError, type Options } from './options.js';

/** JobForge and the runner, started. */
export interface System {
  readonly forge: JobForge;
  readonly url: string;
  readonly capabilities: readonly string[];
  stop(): Promise<void>;
}

export async function boot({ port, data }: Pick<Options, 'port' | 'data'>): Promise<System> {
  mkdirSync(data, { recursive: true });
  const forge = await startJobForge(data, port);
  const url = forge.url ?? '';
  const capabilities = [licenses, duplicates];
  const runner = createRunner({
    name: 'dependency-audit',
    version: '1.0.0',
    capabilities,
    controlPlaneUrl: url,
    port: 0,
    host: '127.0.0.1',
    handleSignals: false,
    logLevel: 'error', // what the capabilities log is shown as the job's events
  });
  try {
    await runner.start();
  } catch (error) {
    await forge.stop();
    throw error;
  }
  return {
    forge,
    url,
    capabilities: capabilities.map(({ id, version }) => `${id}@${version}`),
    async stop() {
      await runner.stop();
      await forge.stop();
    },
  };
}

async function startJobForge(data: string, port: number): Promise<JobForge> {
  try {
    return await createJobForge({ store: `sqlite:${join(data, 'jobs.db')}`, listen: { port } }).start();
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) {
      throw new UsageError(
        `Port ${port} is taken by another program. End that one, or choose another port: npm start -- --port ${port + 10}`,
      );
    }
    if (isJobForgeError(error) && error.envelope.code === 'STORE_UNAVAILABLE') {
      throw new UsageError(`${error.message} The folder is chosen by npm start -- --data DIR`);
    }
    throw error;
  }
}

/** Whether an error or one of its causes has a code: what listens or opens may wrap what it met. */
function hasCode(error: unknown, code: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === code) return true;
  }
  return false;
}
