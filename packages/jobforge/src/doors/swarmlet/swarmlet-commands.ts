import type {
  SwarmletExecChunk,
  SwarmletExecDone,
  SwarmletExecError,
  SwarmletServerFrame,
} from '@controlplane/contracts/swarmlet';
import { createCommandOutput, type CommandOutput } from '../command-outcome.js';
import type { ForeignExecution } from '../foreign-execution.js';
import type { ShellDialect } from '../shell-capability.js';
import { toLine } from '../shell-line.js';
import { toExecRequest, toOutcome } from './exec.js';

/** What a runner tells of a command. */
type Report = SwarmletExecChunk | SwarmletExecDone | SwarmletExecError;

/** The commands of one runner, from one of its connections to the next. */
export interface SwarmletCommands {
  /** Asks for an execution. */
  run(execution: ForeignExecution, dialect: ShellDialect, send: (frame: SwarmletServerFrame) => void): void;
  /** False for a command that is not the runner's. */
  onReport(report: Report, execution: ForeignExecution | undefined): boolean;
}

interface Command {
  readonly output: CommandOutput;
  readonly exitCodes: readonly number[];
}

export function createSwarmletCommands(): SwarmletCommands {
  const commands = new WeakMap<ForeignExecution, Command>();
  return {
    run(execution, dialect, send) {
      const line = toLine(execution.request.payload, dialect);
      commands.set(execution, { output: createCommandOutput(), exitCodes: line.exitCodes });
      send(toExecRequest(execution.id, execution.request, line));
    },
    onReport(report, execution) {
      const command = execution && commands.get(execution);
      if (execution === undefined || command === undefined) return false;
      if (report.type === 'exec_chunk') {
        command.output[report.stream].push(report.data);
        execution.output(report.stream, report.data);
      } else {
        const { cancelled } = execution;
        execution.end(toOutcome(report, { exitCodes: command.exitCodes, cancelled }, command.output));
      }
      return true;
    },
  };
}
