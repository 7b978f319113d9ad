import { RunnerCapability } from '@controlplane/contracts';
import { serveApi, type RunningApi } from '../api/api-server.fixture.js';

export const greet = RunnerCapability.parse({
  id: 'hello.greet',
  name: 'greet',
  version: '1.0.0',
  description: 'Greets.',
  inputSchema: {},
  outputSchema: {},
  supportedJobTypes: [],
});

/** An API with one runner, `r1`, called my-runner, that greets. */
export async function apiWithRunner(): Promise<RunningApi> {
  const api = await serveApi();
  api.operations.addRunner({
    id: 'r1',
    name: 'my-runner',
    capabilities: [greet],
    maxConcurrency: 10,
    activeExecutions: 2,
  });
  return api;
}

/** Plays a runner: as soon as a job is there, it starts, logs and ends. */
export async function playRunner(
  { operations }: RunningApi,
  end: 'job.completed' | 'job.failed',
): Promise<void> {
  for (;;) {
    const {
      items: [job],
    } = await operations.listJobs({ limit: 1 });
    if (job) {
      operations.happen(job.id, 'job.started', { runnerId: 'r1' });
      operations.happen(job.id, 'job.progress', { fraction: 0.5, message: 'half' });
      operations.happen(job.id, 'job.log', { level: 'info', message: 'greeting', fields: { name: 'Ada' } });
      return operations.happen(job.id, end, { result: { message: 'Hello, Ada' } });
    }
    await operations.changed();
  }
}
