import { isTerminalEvent } from '@controlplane/contracts';
import type { DialIn, DialInKind } from '../harness/dial-in/dial-in.js';
import { endOf, type Offered, type ToldEvent } from '../harness/dial-in/offer-book.js';
import type { RecordedMessage, RecordingControlPlane } from '../harness/recording-control-plane.js';
import { PATIENCE_MS } from '../harness/pause.js';
import { newExecution, type ExecutionBody } from '../harness/runner-client.js';
import type { CaseContext, JudgedRunner, StartOptions } from './case.js';
import { must } from './expect.js';
import { NotEvaluable } from './verdict.js';
import { eventually } from './wait.js';

/** A runner that has dialled in, and the end that it dialled. */
export interface Dialled {
  readonly runner: JudgedRunner;
  readonly plane: RecordingControlPlane;
  readonly dialIn: DialIn;
  readonly signal: AbortSignal;
}

function dialledOf(runner: JudgedRunner, signal: AbortSignal): Dialled {
  const { controlPlane: plane } = runner;
  if (!plane) throw new NotEvaluable('the runner was not given the control plane of the kit');
  return { runner, plane, dialIn: plane.dialIn, signal };
}

/** The runner that all cases share. */
export function sharedDialled({ runner, signal }: CaseContext): Dialled {
  return dialledOf(runner, signal);
}

/** A runner of the case's own. */
export async function startDialled(context: CaseContext, options: StartOptions = {}): Promise<Dialled> {
  return dialledOf(await context.startRunner(options), context.signal);
}

/** Offers one execution of the usual subject. */
export function offerSubject(context: CaseContext, { dialIn }: Dialled): Offered {
  const { capability, input } = context.subject();
  return offerBody({ dialIn }, newExecution(capability.id, input));
}

/** Offers one execution of a fixture. */
export function offerFixture(
  context: CaseContext,
  { dialIn }: Dialled,
  [name, input]: readonly [string, unknown],
): Offered {
  return offerBody({ dialIn }, newExecution(context.fixture(name).id, input));
}

export function offerBody({ dialIn }: Pick<Dialled, 'dialIn'>, body: ExecutionBody): Offered {
  const [offered] = dialIn.offer(body);
  if (!offered) throw new Error('nothing was offered');
  return offered;
}

/** In words what was offered. */
export const sayOffer = ({ body }: Offered): string =>
  `an offer of ${body.capabilityId} ${JSON.stringify(body.payload)} (${body.executionId})`;

/** What a runner told of an execution, in words. */
export const sayTold = ({ acceptedAt, told }: Offered): string =>
  `${acceptedAt.length} claims, ${told.map(({ event }) => `${event.type}#${event.seq}`).join(' ') || 'no event'}`;

/** Waits for the end of an execution; broken when none comes. */
export async function mustEnd({ signal }: Dialled, offered: Offered): Promise<ToldEvent> {
  const end = await eventually(() => endOf(offered), { ms: PATIENCE_MS, signal });
  must(end, { sent: sayOffer(offered), expected: 'a terminal event', actual: sayTold(offered) });
  return end;
}

/** Waits until an execution runs: claimed, and the claim confirmed. */
export async function mustBegin({ signal }: Dialled, offered: Offered): Promise<void> {
  const begun = await eventually(() => offered.confirmed, { ms: PATIENCE_MS, signal });
  must(begun, { sent: sayOffer(offered), expected: 'a claim', actual: sayTold(offered) });
}

/** Every terminal event that was told of an execution, each as often as it came. */
export function endsOf({ told }: Offered): readonly ToldEvent[] {
  return told.filter(({ event }) => isTerminalEvent(event));
}

/** Different ends of one execution; the same one that is told twice is one. */
export function differentEnds(offered: Offered): number {
  return new Set(endsOf(offered).map(({ event }) => `${event.type} ${event.seq} ${event.at}`)).size;
}

/** The n-th registration from 0, as soon as it is there. */
export function registration(
  { plane, signal }: Dialled,
  index: number,
  ms = PATIENCE_MS,
): Promise<RecordedMessage | undefined> {
  return plane.waitFor((message) => message.kind === 'register' && message.index === index, {
    timeoutMs: ms,
    signal,
  });
}

/** What a runner does again and again to be in touch. */
export const contactOf = (kind: DialInKind): 'connect' | 'poll' =>
  kind === 'websocket' ? 'connect' : 'poll';
