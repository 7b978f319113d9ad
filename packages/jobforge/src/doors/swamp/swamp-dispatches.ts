import { SWAMP_METHODS, SwampOutputEvent, SwampResult, type SwampFrame } from '@controlplane/contracts/swamp';
import { createCommandOutput, type CommandOutput } from '../command-outcome.js';
import type { ForeignExecution } from '../foreign-execution.js';
import type { ShellDialect } from '../shell-capability.js';
import type { DataDesk, DataPlace } from './data-desk.js';
import { refusedOutcome, toDispatch, toOutcome } from './dispatch.js';

/** The dispatches over one connection; they end with it. */
export interface SwampDispatches {
  run(execution: ForeignExecution): void;
  cancel(executionId: string): void;
  /** What the runner says of one of them. */
  onFrame(frame: Exclude<SwampFrame, { type: 'rpc.request' }>): void;
  /** The connection is gone: nothing is written any more. */
  close(): void;
}

interface Open {
  readonly execution: ForeignExecution;
  readonly exitCodes: readonly number[];
  readonly output: CommandOutput;
  readonly place: DataPlace;
}

export interface SwampDispatchesParts {
  readonly desk: DataDesk;
  readonly dialect: ShellDialect;
  readonly send: (frame: SwampFrame) => void;
}

function take({ execution, output }: Open, event: unknown): void {
  const said = SwampOutputEvent.safeParse(event).data?.event;
  if (said === undefined) return;
  // Lines come without their ends.
  output[said.stream].push(`${said.line}\n`);
  execution.output(said.stream, `${said.line}\n`);
}

function answered(open: Open, result: unknown): void {
  const { execution, exitCodes, output, place } = open;
  const { cancelled } = execution;
  const read = SwampResult.safeParse(result);
  if (read.success) {
    const facts = { exitCodes, cancelled, output, record: place.record() };
    execution.notes('info', read.data.logs);
    execution.end(toOutcome(read.data, facts));
  } else {
    const message = 'the answer of the runner cannot be read';
    execution.end(refusedOutcome({ code: 'handler_failed', message }, cancelled));
  }
}

export function createSwampDispatches({ desk, dialect, send }: SwampDispatchesParts): SwampDispatches {
  const all = new Map<string, Open>();
  const over = (id: string, { place }: Open): void => {
    place.close();
    all.delete(id);
  };
  return {
    run(execution) {
      const place = desk.open();
      try {
        const { dispatch, exitCodes } = toDispatch(
          { ...execution.request, executionId: execution.id },
          dialect,
          place.credential,
        );
        all.set(execution.id, { execution, exitCodes, output: createCommandOutput(), place });
        send({ type: 'rpc.request', id: execution.id, method: SWAMP_METHODS.dispatch, params: dispatch });
      } catch (error) {
        place.close();
        throw error;
      }
    },
    cancel(id) {
      if (all.has(id)) send({ type: 'rpc.cancel', id });
    },
    onFrame(frame) {
      const open = all.get(frame.id);
      if (open === undefined) return;
      if (frame.type === 'rpc.stream') return take(open, frame.event);
      if (frame.type === 'rpc.response') answered(open, frame.result);
      else if (frame.type === 'rpc.error')
        open.execution.end(refusedOutcome(frame.error, open.execution.cancelled));
      else return;
      over(frame.id, open);
    },
    close() {
      for (const [id, open] of all) over(id, open);
    },
  };
}
