import { envelopeOf, type CancelReason } from '@controlplane/contracts';
import type { LinkListener, LinkRequest } from '../links/runner-link.js';
import { mustNotRepeat, type AttemptEndings } from './attempt-endings.js';
import { blockRunner, listenTo, reattachLater } from './execution-news.js';
import { secretsFor } from './execution-secrets.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

/** Carries one execution over one link: offer, accept, events, end; and again after its stream broke. */
export interface Dispatcher {
  /** Offers an execution; it leaves with the next flush of its link. */
  send(execution: Execution): void;
  /** Draws the conclusions from what is told of an execution. */
  listen(execution: Execution): LinkListener;
  /** Takes up an execution that was offered before its stream broke or JobForge stopped. */
  reattach(execution: Execution): void;
  /** Tells the runner to stop. How it ends is told by the execution. */
  cancel(execution: Execution, reason: CancelReason): void;
  /** Takes an offer back that was not accepted in time. */
  withdraw(execution: Execution): void;
  /** Gives up on an execution that has run beyond its time limit. */
  overdue(execution: Execution): void;
  /** Gives up on an execution that did not stop when told to. */
  uncooperative(execution: Execution): void;
}

/** The parts of a request that are JSON already. */
interface Contents {
  readonly input: string;
  readonly checkpoint: string | undefined;
  readonly secrets: string | undefined;
}

/** What the request before had between its job's id and its input: that of most is the same. */
let between = { name: '', capabilityId: '', text: '' };

function textBetween({ runner: { name }, lease: { capabilityId } }: Execution): string {
  if (between.name !== name || between.capabilityId !== capabilityId) {
    const text = `","moduleId":${JSON.stringify(name)},"capabilityId":"${capabilityId}","payload":`;
    between = { name, capabilityId, text };
  }
  return between.text;
}

function bodyOf(execution: Execution, { input, checkpoint, secrets }: Contents): string {
  const { job, runner, lease, attempt, timeoutMs } = execution;
  // Where the same execution may be sent again, only to the process that may have begun it.
  const { instanceId } = runner.link.canReattach ? lease : { instanceId: undefined };
  // Ids are of a set of characters that needs no escaping; the input is JSON already.
  return (
    `{"jobId":"${job.id}${textBetween(execution)}${input},"timeoutMs":${timeoutMs},"metadata":${job.executionMetadata},` +
    `"executionId":"${lease.executionId}","attempt":${attempt},"leaseToken":"${lease.token}"` +
    (checkpoint === undefined ? '' : `,"checkpoint":${checkpoint}`) +
    (secrets === undefined ? '' : `,"secrets":${secrets}`) +
    job.carried +
    (instanceId === undefined ? '}' : `,"instanceId":"${instanceId}"}`)
  );
}

/** Tells the runner to stop, and stops listening to it. */
function giveUp({ runner, lease }: Execution, reason: CancelReason): void {
  runner.link.cancel(lease.executionId, { reason, leaseToken: lease.token });
  runner.link.forget(lease.executionId);
}

/** Puts an execution on its link, its input read where it is not at hand. */
function createSend(
  state: LiveState,
  endings: AttemptEndings,
  dispatcher: () => Dispatcher,
): Dispatcher['send'] {
  const hand = (execution: Execution, input: string, checkpoint?: string): void => {
    // Cancelled while the lease was being written: the runner has heard nothing of it.
    if (execution.job.cancel !== undefined && execution.offeredAt === 0 && !execution.recovered)
      return endings.putBack(execution);
    const secrets = secretsFor(state, execution);
    if (typeof secrets === 'object') return endings.failed(execution, { error: secrets });
    execution.offeredAt = state.clock.now();
    execution.leaseUntil = execution.offeredAt + state.limits.leaseMs;
    const request: LinkRequest = {
      executionId: execution.lease.executionId,
      body: bodyOf(execution, { input, checkpoint, secrets }),
    };
    execution.runner.link.dispatch(request, dispatcher().listen(execution));
  };

  const unreadable = (execution: Execution): void => {
    if (execution.phase === 'closed') return;
    if (execution.brokenSince > 0) return reattachLater(state, execution, dispatcher().reattach);
    endings.putBack(execution);
    blockRunner(state, execution, { cause: 'silent' });
  };

  const load = async (execution: Execution): Promise<void> => {
    const [stored] = await state.store.loadJobs([execution.job.seq]);
    if (stored === undefined) return;
    const { seq, checkpointed } = execution.job;
    const checkpoint = checkpointed ? await state.store.loadCheckpoint(seq) : undefined;
    if (execution.phase === 'closed') return;
    hand(execution, stored.input, checkpoint);
    execution.runner.link.flush();
  };

  return (execution) => {
    if (execution.phase === 'closed') return;
    const { input, checkpointed } = execution.job;
    if (input !== undefined && !checkpointed) return hand(execution, input);
    load(execution).catch((error: unknown) => {
      state.log('error', 'an input could not be read', { jobId: execution.job.id, problem: String(error) });
      unreadable(execution);
    });
  };
}

export function createDispatcher(state: LiveState, endings: AttemptEndings): Dispatcher {
  const dispatcher: Dispatcher = {
    send: createSend(state, endings, () => dispatcher),
    listen: (execution) => listenTo({ state, endings, reattach: dispatcher.reattach }, execution),
    reattach(execution) {
      if (execution.phase === 'closed' || execution.brokenSince === 0) return;
      dispatcher.send(execution);
      execution.runner.link.flush();
    },
    cancel(execution, reason) {
      if (execution.phase === 'closed') return;
      const { link } = execution.runner;
      if (link.confirmsAccepts && execution.phase === 'open' && !execution.recovered) {
        giveUp(execution, reason);
        return endings.putBack(execution);
      }
      execution.cancelledAt = state.clock.now();
      const { executionId, token } = execution.lease;
      link.cancel(executionId, { reason, leaseToken: token });
    },
    withdraw(execution) {
      const { link } = execution.runner;
      // The offer may be read yet, and its handler begin: what must not be repeated is asked for again instead.
      if (mustNotRepeat(execution) && !link.confirmsAccepts)
        return link.interrupt(execution.lease.executionId);
      giveUp(execution, 'lease-lost');
      endings.putBack(execution);
      blockRunner(state, execution, { cause: 'silent' });
    },
    overdue(execution) {
      giveUp(execution, 'deadline');
      const message = `The execution did not end within ${execution.timeoutMs} ms, nor did its runner end it.`;
      endings.failed(execution, { error: envelopeOf('EXECUTION_TIMEOUT', { service: 'jobforge', message }) });
    },
    uncooperative(execution) {
      giveUp(execution, 'lease-lost');
      endings.cancelled(execution, {
        reason: execution.job.cancel ?? 'user',
        message: 'The job was cancelled; its runner did not stop it in time.',
      });
    },
  };
  return dispatcher;
}
