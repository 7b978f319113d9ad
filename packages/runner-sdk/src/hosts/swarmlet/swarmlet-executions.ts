import { randomUUID } from 'node:crypto';
import { isTerminalEvent } from '@controlplane/contracts';
import type { SwarmletExecRequest } from '@controlplane/contracts/swarmlet';
import { sayThrown } from '../../util/safe-json.js';
import type { CommandLine } from '../command-line.js';
import type { HostedRunner } from '../host.js';
import type { UnconfirmedFrames } from '../unconfirmed-frames.js';
import { createReply } from './from-event.js';
import { lostOf, type CommandFrame, type FrameOutbox } from './kept-frames.js';
import { toRequest } from './to-request.js';

/** The executions of one session. */
export interface SwarmletExecutions {
  /** Runs a command and answers; one that runs is being answered already. */
  run(request: SwarmletExecRequest): void;
  cancel(jobId: string): void;
  /** How many run. */
  running(): number;
  /** Says of each that it runs, as far as there is a word for that: a piece of output that is empty. */
  sayRunning(): void;
  /** Takes over what an earlier process could not say, and keeps there what this one cannot. */
  keepIn(outbox: FrameOutbox): void;
}

/** Makes the set, empty. */
export function createSwarmletExecutions(
  runner: HostedRunner,
  line: CommandLine,
  frames: UnconfirmedFrames<CommandFrame>,
): SwarmletExecutions {
  /** Another control plane may use the same ids. */
  const prefix = `swarmlet-${randomUUID().slice(0, 8)}`;
  const executionIdOf = (jobId: string): string => `${prefix}.${jobId}`;
  const running = new Set<string>();
  let outbox: FrameOutbox | undefined;
  const end = (jobId: string, frame: CommandFrame): void => {
    running.delete(jobId);
    frames.push(frame, { executionId: jobId, isResult: true });
    outbox?.put(jobId, () => ({ executionId: jobId, frames: frames.of(jobId) }));
  };
  return {
    run(request) {
      const { job_id: jobId } = request;
      if (running.has(jobId)) return;
      const reply = createReply(request, line.isShell);
      try {
        const execution = toRequest(request, executionIdOf(jobId), line);
        running.add(jobId);
        outbox?.put(jobId, () => lostOf(jobId));
        runner.run(execution, (event) => {
          for (const frame of reply(event))
            if (isTerminalEvent(event) && frame.type !== 'exec_chunk') end(jobId, frame);
            else frames.push(frame, { executionId: jobId, isResult: false });
        });
      } catch (error) {
        end(jobId, { type: 'exec_error', job_id: jobId, error: sayThrown(error) });
      }
    },
    cancel: (jobId) => void runner.cancel(executionIdOf(jobId), 'user'),
    running: () => running.size,
    sayRunning() {
      for (const job_id of running) {
        const frame: CommandFrame = { type: 'exec_chunk', job_id, stream: 'stdout', data: '' };
        frames.push(frame, { executionId: job_id, isResult: false });
      }
    },
    keepIn(opened) {
      outbox = opened;
      for (const { executionId, frames: left } of opened.left())
        for (const frame of left) frames.push(frame, { executionId, isResult: frame.type !== 'exec_chunk' });
    },
  };
}
