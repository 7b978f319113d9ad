import type { SwarmletRunnerFrame } from '@controlplane/contracts/swarmlet';
import { startScriptedSwarmlet } from '../swarmlet/scripted-swarmlet.js';
import { failureOf, inSeconds, type ForeignPlane, type Heard } from './foreign-plane.js';

const BUSY = 'Runner is busy with another job';
/** What a shell says of a command that SIGTERM ended. */
const TERMINATED = 143;

type End = Extract<SwarmletRunnerFrame, { readonly type: 'exec_done' | 'exec_error' }>;

function endOf(frame: End, stdout: string): Heard {
  if (frame.type === 'exec_error') {
    if (frame.error === BUSY) return { type: 'failed', code: 'RUNNER_BUSY', message: BUSY };
    if (/^Command timed out after \d+ seconds$/.test(frame.error))
      return { type: 'failed', code: 'EXECUTION_TIMEOUT', message: frame.error };
    return failureOf(frame.error);
  }
  if (frame.exit_code === 0) return { type: 'succeeded', output: stdout, tookMs: frame.duration_ms };
  return frame.exit_code === TERMINATED ? { type: 'cancelled' } : failureOf(`exit code ${frame.exit_code}`);
}

/** A Swarmlet with a runner of the name builder. */
export async function swarmletPlane(): Promise<ForeignPlane> {
  const plane = await startScriptedSwarmlet();
  return {
    url: plane.url,
    isServed: () => plane.runnerOf('builder').socket !== undefined,
    give({ id, text, timeoutMs }, hear) {
      let stdout = '';
      const leave = plane.frames.watch((frame) => {
        if (frame.type === 'hello' || frame.type === 'heartbeat' || frame.job_id !== id) return;
        if (frame.type === 'exec_chunk') {
          if (frame.stream === 'stdout') stdout += frame.data;
          else hear({ type: 'said', text: frame.data });
          return;
        }
        leave();
        hear(endOf(frame, stdout));
      });
      plane.exec(text, { id, timeoutSecs: inSeconds(timeoutMs) });
      hear({ type: 'begun' });
    },
    cancel: (id) => plane.cancel({ id }),
    watch: (see) => void plane.frames.watch((frame) => see(JSON.stringify(frame))),
  };
}
