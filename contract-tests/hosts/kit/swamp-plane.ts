import { startScriptedSwamp, type ScriptedDispatch } from '../swamp/scripted-swamp.js';
import { failureOf, type ForeignPlane, type Heard } from './foreign-plane.js';

const REFUSALS: Readonly<Record<string, string>> = {
  worker_busy: 'RUNNER_BUSY',
  worker_draining: 'RUNNER_DRAINING',
};
const RESULT = '/data/resource';

function endOf({ result, error }: ScriptedDispatch, stdout: string): Heard {
  if (error?.code === 'cancelled') return { type: 'cancelled' };
  if (error) return { type: 'failed', code: REFUSALS[error.code] ?? 'NO_CODE', message: error.message };
  if (result?.status === 'success') return { type: 'succeeded', output: stdout, tookMs: result.durationMs };
  const message = result?.error ?? 'no error';
  return /^Command timed out after \d+ ms$/.test(message)
    ? { type: 'failed', code: 'EXECUTION_TIMEOUT', message }
    : failureOf(message);
}

/** A swamp whose runner has enrolled; results are read where it keeps them. */
export async function swampPlane(): Promise<ForeignPlane> {
  const { plane, ...swamp } = await startScriptedSwamp();
  const dispatches = new Map<string, ScriptedDispatch>();
  /** Of the result that was written for a command. */
  function writtenFor(command: string): string {
    const written = plane.writes
      .filter(({ path }) => path === RESULT)
      .map(({ body }) => (JSON.parse(body) as { readonly data: Readonly<Record<string, string>> }).data)
      .findLast((data) => data['command'] === command);
    return written?.['stdout'] ?? '';
  }
  return {
    url: swamp.url,
    isServed: () => plane.socket !== undefined,
    give({ id, text, timeoutMs, secrets }, hear) {
      const dispatch = swamp.dispatch(text, {
        id,
        args: { timeout: timeoutMs },
        more: { secretValues: secrets },
      });
      dispatches.set(id, dispatch);
      const leave = plane.ends.watch((ended) => {
        if (ended.id !== dispatch.id) return;
        leave();
        for (const line of ended.result?.logs ?? []) hear({ type: 'said', text: `${line}\n` });
        hear(endOf(ended, writtenFor(text)));
      });
      hear({ type: 'begun' });
    },
    cancel(id) {
      const dispatch = dispatches.get(id);
      if (dispatch) swamp.cancel(dispatch);
    },
    watch: (see) => void plane.frames.watch((frame) => see(JSON.stringify(frame))),
  };
}
