import { startScriptedAutomn, type AutomnJob } from '../automn/scripted-automn.js';
import { failureOf, type ForeignPlane, type Heard } from './foreign-plane.js';

const REFUSALS: Readonly<Record<string, string>> = {
  'Runner is at capacity': 'RUNNER_BUSY',
  'Runner is shutting down': 'RUNNER_DRAINING',
};

function endOf({ error, result }: AutomnJob): Heard {
  if (!result || error !== undefined) {
    const message = error ?? 'Runner ended without result';
    return { type: 'failed', code: REFUSALS[message] ?? 'NO_CODE', message };
  }
  const { duration: tookMs, returnData } = result;
  if (result.code === 0) return { type: 'succeeded', output: JSON.stringify(returnData), tookMs };
  if (result.stderr === 'Timeout exceeded.')
    return { type: 'failed', code: 'EXECUTION_TIMEOUT', message: result.stderr };
  return failureOf(result.stderr);
}

/** An Automn whose scripts are orders. It can cancel one by hanging up, and then hears nothing of it. */
export async function automnPlane(): Promise<ForeignPlane> {
  const plane = await startScriptedAutomn();
  const jobs = new Map<string, AutomnJob>();
  return {
    url: plane.url,
    isServed: () => plane.runnerOf('default').registered !== undefined,
    give({ id, text, timeoutMs }, hear) {
      const job = plane.run(text, { runId: id, timeout: timeoutMs / 1_000 });
      jobs.set(id, job);
      const leave = plane.ends.watch((ended) => {
        if (ended !== job) return;
        leave();
        for (const { message } of job.result?.automnLogs ?? []) hear({ type: 'said', text: `${message}\n` });
        hear(endOf(job));
      });
      hear({ type: 'begun' });
    },
    cancel: (id) => jobs.get(id)?.hangUp(),
    watch(see) {
      plane.registrations.watch((body) => see(JSON.stringify(body)));
      plane.ends.watch(({ lines, error }) => see(JSON.stringify({ lines, error })));
    },
  };
}
