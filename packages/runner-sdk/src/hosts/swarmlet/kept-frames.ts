import { SwarmletExecChunk, SwarmletExecDone, SwarmletExecError } from '@controlplane/contracts/swarmlet';
import { z } from 'zod';
import { openRunnerOutbox, type Outbox } from '../outbox.js';
import type { HostedRunner } from '../host.js';
import { fileNameOf } from '../state-files.js';
import type { ResolvedSwarmletOptions } from './options.js';

const CommandFrame = z.discriminatedUnion('type', [SwarmletExecChunk, SwarmletExecDone, SwarmletExecError]);

/** What a runner says of a command. */
export type CommandFrame = z.infer<typeof CommandFrame>;

/** What is to be said of a command after the process is gone that runs it: at most what is kept of its output. */
const KeptFrames = z.object({ executionId: z.string().min(1), frames: z.array(CommandFrame).min(1) });
type KeptFrames = z.infer<typeof KeptFrames>;

export type FrameOutbox = Outbox<KeptFrames>;

/** For as long as it runs, and nothing else can be said of it. */
export const lostOf = (jobId: string): KeptFrames => ({
  executionId: jobId,
  frames: [
    {
      type: 'exec_error',
      job_id: jobId,
      error: 'RUNNER_LOST: the runner was restarted while the command ran',
    },
  ],
});

/** Opens what an earlier process of this runner left for this control plane. */
export function openFrameOutbox(
  runner: HostedRunner,
  { url, runnerId, runnerName }: ResolvedSwarmletOptions,
): Promise<FrameOutbox | undefined> {
  const who = runnerId ?? runnerName ?? runner.manifest.name;
  return openRunnerOutbox(runner, fileNameOf(`${url.replace(/\/+$/, '')} swarmlet ${who}`), KeptFrames);
}
