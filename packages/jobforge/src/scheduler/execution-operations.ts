import type { Operations } from '../model/operations.js';
import type { Denial } from '../links/waiting-frames.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { ExecutionReports } from './execution-reports.js';

function denied(executionId: string, denial: Denial): JobForgeError {
  const message =
    denial === 'EXECUTION_NOT_FOUND'
      ? `There is no execution "${executionId}".`
      : `The execution "${executionId}" is not, or no longer, held with this lease token.`;
  return new JobForgeError(denial, { message });
}

/** What runners ask about executions by requests of their own. */
export function executionOperations(
  reports: ExecutionReports,
): Pick<Operations, 'acceptExecution' | 'recordEvents'> {
  return {
    async acceptExecution(executionId, { leaseToken }) {
      const denial = reports.accept(executionId, leaseToken);
      if (denial !== undefined) throw denied(executionId, denial);
      return { executionId, accepted: true };
    },
    recordEvents: (executionId, request) =>
      new Promise((resolve, reject) => {
        const acknowledged = (acknowledgedSeq: number): void => resolve({ executionId, acknowledgedSeq });
        const recorded = reports.record({ executionId, ...request }, acknowledged);
        if (recorded === 'later') return;
        if ('denial' in recorded) reject(denied(executionId, recorded.denial));
        else acknowledged(recorded.seq);
      }),
  };
}
