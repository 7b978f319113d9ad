import type { JobForge } from '@controlplane/jobforge';
import { duplicates, licenses, type DuplicateReport, type LicenseReport } from './capabilities.js';
import { createProgressBoard, type ProgressBoard } from './progress-board.js';
import { duplicateText, licenseText } from './report-text.js';

type Job = Awaited<ReturnType<JobForge['submit']>>;
type Result = Awaited<ReturnType<Job['result']>>;

export interface AuditOptions {
  readonly output: NodeJS.WriteStream;
  /** Cancels the jobs. */
  readonly signal: AbortSignal;
}

const NARROWEST = 60;
const WHEN_UNKNOWN = 100;

/** Submits both jobs over a folder, shows them while they run and prints their results. True when both succeeded. */
export async function audit(
  forge: JobForge,
  dir: string,
  { output, signal }: AuditOptions,
): Promise<boolean> {
  const board = createProgressBoard([licenses.id, duplicates.id], output);
  const results = await Promise.all(
    [licenses.id, duplicates.id].map(async (id) => {
      const job = await forge.submit({ capability: id, input: { dir } });
      const cancel = (): void => void job.cancel().catch(() => undefined); // it may have ended in this instant
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      const result = await follow(job, id, board).finally(() => signal.removeEventListener('abort', cancel));
      return { id, result };
    }),
  );
  const width = Math.max(NARROWEST, output.columns ?? WHEN_UNKNOWN);
  for (const { id, result } of results) output.write(`\n${resultText(id, result, width)}\n`);
  return results.every(({ result }) => result.success);
}

async function follow(job: Job, name: string, board: ProgressBoard): Promise<Result> {
  for await (const event of job.events()) board.show(name, event);
  return job.result();
}

function resultText(id: string, { success, data, error }: Result, width: number): string {
  if (!success) return `✗ ${id}: ${error?.code ?? 'failed'}  ${error?.message ?? ''}`;
  // The runner has checked the data against the capability's output schema, and so has JobForge.
  return id === licenses.id
    ? licenseText(data as LicenseReport, width)
    : duplicateText(data as DuplicateReport, width);
}
