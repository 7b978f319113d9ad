import { randomUUID } from 'node:crypto';
import { isTerminalEvent } from '@controlplane/contracts';
import type { SwarmletExecRequest } from '@controlplane/contracts/swarmlet';
import { sayThrown } from '../../util/safe-json.js';
import type { CommandLine } from '../command-line.js';
import type { HostedRunner } from '../host.js';
import type { UnconfirmedFrames } from '../unconfirmed-frames.js';
import { createReply } from './from-event.js';
import { toRequest } from './to-request.js';

/** The executions of one session. */
export interface SwarmletExecutions {
  /** Runs a command and answers; one that runs is being answered already. */
  run(request: SwarmletExecRequest): void;
  cancel(jobId: string): void;
  /** How many run. */
  running(): number;
}

/** Makes the set, empty. */
export function createSwarmletExecutions(
  runner: HostedRunner,
  line: CommandLine,
  frames: UnconfirmedFrames,
): SwarmletExecutions {
  /** Another control plane may use the same ids. */
  const prefix = `swarmlet-${randomUUID().slice(0, 8)}`;
  const executionIdOf = (jobId: string): string => `${prefix}.${jobId}`;
  const running = new Set<string>();
  return {
    run(request) {
      const { job_id: jobId } = request;
      if (running.has(jobId)) return;
      const reply = createReply(request, line.isShell);
      try {
        const execution = toRequest(request, executionIdOf(jobId), line);
        running.add(jobId);
        runner.run(execution, (event) => {
          const isEnd = isTerminalEvent(event);
          if (isEnd) running.delete(jobId);
          for (const frame of reply(event)) frames.push(frame, isEnd && frame.type !== 'exec_chunk');
        });
      } catch (error) {
        running.delete(jobId);
        frames.push({ type: 'exec_error', job_id: jobId, error: sayThrown(error) }, true);
      }
    },
    cancel: (jobId) => void runner.cancel(executionIdOf(jobId), 'user'),
    running: () => running.size,
  };
}
